// The map: endpoints downwards, molecules across.

import { at, colour, make, shown } from "./dom.js";

export function drawMap(endpoints, molecules, choose) {
  const rows = endpoints.map((endpoint, place) => {
    const cells = molecules.map((molecule) => {
      const value = molecule.values[place];
      const name = molecule.name || molecule.smiles;
      const said = value ? `${shown(value.value)} ${endpoint.unit}` : molecule.reason;
      return make("td", {
        class: value ? colour(value.level) : "none",
        title: `${name.slice(0, 80)}\n${endpoint.name}: ${said}`,
        onclick: () => choose(molecule),
      });
    });
    const head = make("th", { scope: "row", text: endpoint.name, title: endpoint.name });
    return make("tr", {}, head, ...cells);
  });
  at("map").replaceChildren(make("tbody", {}, ...rows));
  const binary = endpoints.some((endpoint) => endpoint.kind === "binary");
  at("legend").replaceChildren(
    make("span", { class: "key l0" }), " low ",
    make("span", { class: "key l4" }), " as the mean of the training labels ",
    make("span", { class: "key l8" }), " high (two standard deviations); ",
    binary ? "a class: blue 0, orange 1; " : "",
    make("span", { class: "key none" }), " no prediction",
  );
}
