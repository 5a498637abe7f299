// The page: molecules or a file in, table, map and the file back.

import * as api from "./api.js";
import { at, make } from "./dom.js";
import { drawMap } from "./map.js";
import { drawTable, show } from "./table.js";

const ENDINGS = ["csv", "csv.gz", "txt", "txt.gz", "tsv", "tsv.gz", "tab", "tab.gz", "parquet", "pq", "xlsx", "xlsm", "ods", "sdf", "sdf.gz", "sd", "sd.gz", "smi", "smi.gz"];
const MOST = 200; // molecules that the page shows
const LINE = /^(\S+(?:\s+\|[^|]*\|)?)\s*(.*)$/;

const state = { file: null, endpoints: [], molecules: [], sorted: { place: null, up: true }, run: 0 };

function options() {
  const intervals = at("intervals").value;
  return { intervals: intervals ? Number(intervals) : null, nearest: at("nearest").checked };
}

function lines() {
  return at("smiles").value.split("\n").map((line) => line.trim()).filter(Boolean)
    .map((line) => line.match(LINE)).map(([, smiles, name]) => ({ smiles, name }));
}

function say(text) {
  at("status").textContent = text;
}

function fault(error) {
  if (error.status === 401) at("token").hidden = false;
  at("fault").textContent = error.message;
}

function busy(text, share) {
  at("busy").hidden = text === null;
  at("go").disabled = text !== null;
  at("progress-text").textContent = text || "";
  if (share === undefined || share === null) at("progress").removeAttribute("value");
  else at("progress").value = share;
}

function render() {
  const { endpoints, molecules, sorted } = state;
  const order = [...molecules];
  if (sorted.place !== null) {
    const of = (molecule) => molecule.values[sorted.place]?.value ?? null;
    order.sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sorted.up ? x - y : y - x;
    });
  }
  drawMap(endpoints, order, show);
  drawTable(endpoints, order, sortBy, sorted).catch(fault);
  at("found").hidden = false;
}

function sortBy(place) {
  const { sorted } = state;
  state.sorted = { place, up: sorted.place === place ? !sorted.up : true };
  render();
}

function keep(answer, names) {
  state.endpoints = answer.endpoints;
  state.molecules = answer.molecules.map((molecule, number) => ({ ...molecule, number, name: names[number] || "" }));
  state.sorted = { place: null, up: true };
}

const withStructures = () => ({ ...options(), structures: true });

async function predictLines() {
  const given = lines();
  if (!given.length) throw new api.Refused(422, "Paste at least one SMILES, or choose a file.");
  busy("predicting …");
  const part = given.slice(0, MOST);
  keep(await api.predict(part.map((line) => line.smiles), withStructures()), part.map((line) => line.name));
  const without = state.molecules.filter((molecule) => molecule.reason).length;
  const more = given.length > MOST ? `; the first ${MOST} of ${given.length} are shown, the download has all` : "";
  at("summary").textContent = `${part.length} molecules, ${without} without a prediction${more}`;
  render();
  const ending = at("output").value || "csv";
  at("downloads").replaceChildren(
    make("button", { type: "button", text: `Download as ${ending}`, onclick: () => download(table(given), "csv", ending, "molecules") }),
  );
}

function table(given) {
  const quote = (text) => `"${text.replaceAll('"', '""')}"`;
  const named = given.some((line) => line.name);
  const column = state.about.smiles_column;
  const head = named ? `${quote(column)},"Name"` : quote(column);
  const rows = given.map((line) => quote(line.smiles) + (named ? `,${quote(line.name)}` : ""));
  return new Blob([[head, ...rows].join("\n"), "\n"]);
}

async function follow(content, format, asked) {
  const own = ++state.run;
  busy("sending …");
  let job = await api.sendFile(content, format, asked);
  let pause = 200;
  while (job.state === "queued" || job.state === "running") {
    if (own !== state.run) return null;
    const of = job.rows ? ` of ${job.rows.toLocaleString()}` : "";
    busy(job.state === "queued" ? "waiting for its turn …" : `${job.done.toLocaleString()}${of} rows`, job.rows ? job.done / job.rows : null);
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(2000, pause * 1.3);
    job = await api.fileState(job.id);
  }
  if (job.state === "failed") throw new api.Refused(422, job.error);
  return job;
}

async function save(job, stem) {
  const name = `${stem}_predictions.${job.output}`;
  const direct = api.resultLink(job.id);
  const address = direct || URL.createObjectURL(await api.fileResult(job.id));
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

async function download(content, format, output, stem) {
  await guarded(async () => {
    const job = await follow(content, format, { ...options(), output });
    if (job) await save(job, stem);
  });
}

async function predictFile(file) {
  const format = ENDINGS.find((ending) => file.name.toLowerCase().endsWith(`.${ending}`));
  if (!format) throw new api.Refused(415, `The ending of the name must be one of: ${ENDINGS.join(", ")}.`);
  if (file.size > state.about.max_bytes)
    throw new api.Refused(413, `The file has more than the ${Math.floor(state.about.max_bytes / 2 ** 20)} MiB that this server takes.`);
  const asked = { ...options(), output: at("output").value, smiles_column: at("column").value.trim() };
  const job = await follow(file, format, asked);
  if (!job) return;
  at("notes").replaceChildren(...job.notes.map((text) => make("li", { text })));
  const stem = file.name.slice(0, -format.length - 1);
  at("downloads").replaceChildren(
    make("button", { type: "button", text: `Download ${job.output}`, onclick: () => guarded(() => save(job, stem)) }),
  );
  busy("drawing …");
  keep(await api.predict(job.preview, withStructures()), []);
  const more = job.rows > job.preview.length ? `; the first ${job.preview.length} are shown` : "";
  at("summary").textContent = `${job.rows.toLocaleString()} rows, ${job.without_prediction.toLocaleString()} without a prediction${more}`;
  render();
}

async function guarded(work) {
  at("fault").textContent = "";
  say("");
  try {
    await work();
    say("Done.");
  } catch (error) {
    if (error instanceof api.Refused) fault(error);
    else {
      at("fault").textContent = `The page failed: ${error.message}`;
      console.error(error);
    }
  } finally {
    busy(null);
  }
}

function choose(file) {
  state.file = file;
  at("drop-name").textContent = file ? file.name : "Drop a CSV, SDF or Excel file here, or choose one";
}

function clear() {
  state.run += 1;
  choose(null);
  at("file").value = "";
  at("smiles").value = "";
  at("notes").replaceChildren();
  at("fault").textContent = "";
  say("");
  at("found").hidden = true;
}

async function open() {
  try {
    state.about = await api.about();
  } catch (error) {
    fault(error);
    return;
  }
  at("token").hidden = true;
  at("fault").textContent = "";
  const { endpoints, intervals, smiles_column: column, version } = state.about;
  at("model").textContent = `${endpoints.length} endpoints: ${endpoints.map((endpoint) => endpoint.name).slice(0, 8).join(", ")}${endpoints.length > 8 ? ", …" : ""} · version ${version}`;
  at("column").placeholder = column;
  if (!intervals) {
    at("intervals").value = "";
    at("intervals").disabled = at("nearest").disabled = true;
    at("nearest").checked = false;
  }
}

at("go").addEventListener("click", () => guarded(() => (state.file ? predictFile(state.file) : predictLines())));
at("clear").addEventListener("click", clear);
at("file").addEventListener("change", () => choose(at("file").files[0] || null));
at("smiles").addEventListener("input", () => choose(null));
at("token-use").addEventListener("click", () => {
  api.keepToken(at("token-text").value.trim());
  open();
});
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
const drop = at("drop");
drop.addEventListener("dragover", () => drop.classList.add("over"));
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  drop.classList.remove("over");
  const file = event.dataTransfer.files[0];
  if (file) choose(file);
});
open();
