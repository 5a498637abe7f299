// What the page asks of the server.

const KEY = "admet-token";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function keepToken(text) {
  sessionStorage.setItem(KEY, text);
}

function headers(more) {
  const token = sessionStorage.getItem(KEY);
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: headers(options.headers || {}) });
  } catch {
    throw new Refused(0, "The server cannot be reached. Is it still running?");
  }
  if (answer.ok) return answer;
  let said = "";
  try {
    said = (await answer.json()).error;
  } catch {
    said = answer.statusText;
  }
  throw new Refused(answer.status, said || `The server answered ${answer.status}.`);
}

export async function about() {
  return (await ask("/api/v1/model")).json();
}

function post(path, content) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(content),
  });
}

export async function predict(smiles, options) {
  return (await post("/api/v1/predict", { smiles, ...options })).json();
}

export async function drawings(smiles) {
  return (await (await post("/api/v1/drawings", { smiles })).json()).drawings;
}

export async function sendFile(content, format, options) {
  const query = new URLSearchParams({ format });
  for (const [key, value] of Object.entries(options)) if (value) query.set(key, value);
  const answer = await ask(`/api/v1/files?${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: content,
  });
  return answer.json();
}

export async function fileState(id) {
  return (await ask(`/api/v1/files/${id}`)).json();
}

export async function fileResult(id) {
  return (await ask(`/api/v1/files/${id}/result`)).blob();
}

// With no token, a link lets the browser stream the file to the disk.
export function resultLink(id) {
  return sessionStorage.getItem(KEY) ? null : `/api/v1/files/${id}/result`;
}
