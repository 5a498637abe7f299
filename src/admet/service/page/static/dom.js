// Makes elements; text always goes in as text.

export function make(tag, { text, ...given } = {}, ...inner) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...inner);
  return element;
}

export const at = (id) => document.getElementById(id);

export function shown(number) {
  if (number === null || number === undefined) return "–";
  if (typeof number === "string") return number;
  const size = Math.abs(number);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return number.toExponential(2);
  return String(Number(number.toPrecision(3)));
}

export function colour(level) {
  if (level === null || level === undefined) return "none";
  return `l${Math.max(0, Math.min(8, Math.round((level + 1) * 4)))}`;
}
