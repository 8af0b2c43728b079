/** Numbers in [0, 1). */
export type Random = () => number;

type Schema = Readonly<Record<string, unknown>>;

/** Recursion ends here whatever a schema says; no written one comes near. */
const DEEPEST = 64;

/** An object as a JSON Schema describes it: examples where it has them, else random values (APISIX: mocking). */
export function exampleOf(schema: Schema, random: Random, depth = 0): Record<string, unknown> {
  const properties = isSchema(schema["properties"]) && depth < DEEPEST ? schema["properties"] : {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      isSchema(property) ? makeValue(property, random, depth + 1) : undefined,
    ]),
  );
}

function makeValue(schema: Schema, random: Random, depth: number): unknown {
  const { example, type } = schema;
  switch (String(type).toLowerCase()) {
    case "object":
      return exampleOf(schema, random, depth);
    case "array":
      return arrayOf(schema["items"], random, depth);
    case "string":
      return typeof example === "string" ? example : randomWord(random);
    case "number":
      return typeof example === "number" ? example : random() * 10_000;
    case "integer":
      return typeof example === "number" ? Math.floor(example) : 1 + Math.floor(random() * 10_000);
    case "boolean":
      return typeof example === "boolean" ? example : random() < 0.5;
    default:
      return undefined;
  }
}

function arrayOf(items: unknown, random: Random, depth: number): unknown[] | undefined {
  if (!isSchema(items) || depth >= DEEPEST) return undefined;
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => makeValue(items, random, depth + 1));
}

/** One to ten lower-case letters. */
function randomWord(random: Random): string {
  const codes = Array.from({ length: 1 + Math.floor(random() * 10) }, () => 97 + Math.floor(random() * 26));
  return String.fromCharCode(...codes);
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
