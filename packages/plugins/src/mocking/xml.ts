/** Writes a value as an XML element: objects as child elements, lists as repeated ones. */
export function renderXml(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => renderXml(name, item)).join("");
  if (typeof value !== "object" || value === null) return `<${name}>${escapeText(String(value ?? ""))}</${name}>`;
  const children = Object.entries(value).map(([child, content]) => renderXml(child, content));
  return `<${name}>${children.join("")}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character] ?? character);
}
