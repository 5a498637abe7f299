// Shows the OpenAPI document of this server.

import { at, make } from "./dom.js";

function nameOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(nameOf).join(" or ");
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "array") return `list of ${nameOf(schema.items)}`;
  return schema.format || schema.type || "";
}

function listing(heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows.map((cells) =>
    make("tr", {}, ...cells.map((text) => make("td", { text: text || "" }))))));
}

function operation(path, verb, about) {
  const parts = [
    make("h2", {}, make("span", { class: "verb", text: verb.toUpperCase() }), " ", make("code", { text: path })),
    make("p", { text: about.description || about.summary }),
  ];
  const body = Object.entries(about.requestBody?.content || {})[0];
  if (body) parts.push(make("p", { text: `Body: ${body[0]}, ${nameOf(body[1].schema)}` }));
  const given = about.parameters || [];
  if (given.length)
    parts.push(listing(["parameter", "type", ""], given.map((p) => [p.name + (p.required ? " *" : ""), nameOf(p.schema), p.description])));
  const answers = Object.entries(about.responses).map(([status, answer]) => {
    const content = Object.values(answer.content || {})[0];
    return [status, nameOf(content?.schema), answer.description];
  });
  parts.push(listing(["status", "answer", ""], answers));
  return make("section", {}, ...parts);
}

function shape([name, schema]) {
  const rows = Object.entries(schema.properties || {}).map(([key, value]) => [key, nameOf(value), value.description]);
  return make("section", {}, make("h2", {}, make("code", { text: name })), make("p", { text: schema.description }),
    listing(["key", "type", ""], rows));
}

const example = `curl -X POST ${location.origin}/api/v1/predict -H 'Content-Type: application/json' \\
  -d '{"smiles": ["CCO"], "intervals": 0.8, "nearest": true}'

curl --data-binary @molecules.csv -H 'Content-Type: application/octet-stream' \\
  '${location.origin}/api/v1/files?format=csv&wait=true' -o predictions.csv`;

try {
  const answer = await fetch("/api/openapi.json");
  if (!answer.ok) throw new Error((await answer.json()).error);
  const spec = await answer.json();
  const paths = Object.entries(spec.paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, about]) => operation(path, verb, about)));
  const shapes = Object.entries(spec.components.schemas).filter(([name]) => !name.includes("Validation")).map(shape);
  at("docs").append(make("section", {}, make("h2", { text: "In short" }), make("pre", { text: example })), ...paths, ...shapes);
} catch (error) {
  at("fault").textContent = error.message;
}
