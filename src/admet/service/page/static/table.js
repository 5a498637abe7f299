// The table of molecules: drawings, values, intervals, neighbours, reasons.

import { drawings } from "./api.js";
import { at, colour, make, shown } from "./dom.js";

const CHUNK = 40; // drawings asked for at once
const pictures = new Map(); // structure → address of its picture

export async function drawAll(images) {
  const missing = [...new Set(images.map((image) => image.dataset.smiles))].filter(
    (smiles) => !pictures.has(smiles),
  );
  for (let start = 0; start < missing.length; start += CHUNK) {
    const part = missing.slice(start, start + CHUNK);
    const found = await drawings(part);
    part.forEach((smiles, place) => {
      const svg = found[place];
      const blob = svg && new Blob([svg], { type: "image/svg+xml" });
      pictures.set(smiles, blob ? URL.createObjectURL(blob) : "");
    });
    place(images);
  }
  place(images);
}

function place(images) {
  for (const image of images) {
    const address = pictures.get(image.dataset.smiles);
    if (address && !image.src) image.src = address;
  }
}

function picture(smiles) {
  return make("img", { "data-smiles": smiles, alt: `Structure of ${smiles.slice(0, 100)}`, width: 220, height: 150 });
}

function cell(value) {
  const said = make("span", { class: `value ${colour(value.level)}`, text: shown(value.value) });
  const inner = [said];
  if (value.low !== undefined)
    inner.push(make("span", { class: "interval", text: `${shown(value.low)} to ${shown(value.high)}` }));
  if (value.classes !== undefined)
    inner.push(make("span", { class: "interval", text: `class ${value.classes || "none"}` }));
  if (value.similarity !== undefined && value.similarity !== null)
    inner.push(make("span", { class: "interval", text: `nearest ${shown(value.similarity)}` }));
  return make("td", {}, ...inner);
}

function neighbours(endpoints, molecule) {
  const seen = new Map();
  endpoints.forEach((endpoint, place) => {
    const value = molecule.values[place];
    if (!value.nearest) return;
    if (!seen.has(value.nearest)) seen.set(value.nearest, { similarity: value.similarity, labels: [] });
    const unit = endpoint.unit ? ` ${endpoint.unit}` : "";
    seen.get(value.nearest).labels.push(`${endpoint.name}: measured ${shown(value.nearest_label)}${unit}`);
  });
  const figures = [...seen].map(([smiles, { similarity, labels }]) =>
    make("figure", {}, picture(smiles), make("figcaption", {},
      make("strong", { text: `similarity ${shown(similarity)}` }),
      ...labels.map((text) => make("div", { text })))));
  return make("div", { class: "inner" }, ...figures);
}

function toggle(row, endpoints, molecule, button) {
  const open = row.nextElementSibling?.classList.contains("more");
  button.setAttribute("aria-expanded", String(!open));
  if (open) {
    row.nextElementSibling.remove();
    return;
  }
  const inside = make("td", { colspan: endpoints.length + 2 }, neighbours(endpoints, molecule));
  row.after(make("tr", { class: "more" }, inside));
  drawAll([...inside.querySelectorAll("img")]).catch(() => {});
}

function row(endpoints, molecule, number) {
  const named = make("td", {});
  if (molecule.structure) named.append(picture(molecule.structure));
  if (molecule.name) named.append(make("div", { class: "name", text: molecule.name }));
  named.append(make("code", { text: molecule.smiles, title: molecule.smiles }));
  const made = make("tr", {}, make("td", { text: String(number + 1) }), named);
  if (molecule.reason) {
    made.append(make("td", { class: "reason", colspan: endpoints.length, text: `no prediction: ${molecule.reason}` }));
    return made;
  }
  made.append(...molecule.values.map(cell));
  if (molecule.values.some((value) => value.nearest)) {
    const button = make("button", { type: "button", class: "plain", text: "nearest molecules", "aria-expanded": "false" });
    button.addEventListener("click", () => toggle(made, endpoints, molecule, button));
    named.append(button);
  }
  return made;
}

export function drawTable(endpoints, molecules, sort, sorted) {
  const heads = endpoints.map((endpoint, place) => {
    const mark = sorted.place === place ? (sorted.up ? " ↑" : " ↓") : "";
    const unit = endpoint.kind === "binary" ? "chance of 1" : endpoint.unit;
    const button = make("button", { type: "button", class: "plain", text: endpoint.name + mark, onclick: () => sort(place) });
    const order = mark ? (sorted.up ? "ascending" : "descending") : "none";
    return make("th", { scope: "col", "aria-sort": order }, button, make("span", { class: "unit", text: unit }));
  });
  const head = make("tr", {}, make("th", { scope: "col", class: "narrow", text: "#" }),
    make("th", { scope: "col", text: "molecule" }), ...heads);
  const rows = molecules.map((molecule) => {
    const made = row(endpoints, molecule, molecule.number);
    made.id = `molecule-${molecule.number}`;
    return made;
  });
  at("table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  return drawAll([...at("table").querySelectorAll("img")]);
}

export function show(molecule) {
  for (const chosen of document.querySelectorAll("tr.chosen")) chosen.classList.remove("chosen");
  const found = at(`molecule-${molecule.number}`);
  found.classList.add("chosen");
  found.scrollIntoView({ block: "center", behavior: "smooth" });
}
