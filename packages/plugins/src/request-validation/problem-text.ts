import type { ErrorObject } from "ajv";

/** A validator's finding in the words of APISIX's one, from the outside in. */
export function renderProblem(error: ErrorObject): string {
  return placeOf(error) + leafOf(error);
}

type Leaf = (params: Readonly<Record<string, unknown>>, value: unknown) => string;

const LEAVES: Readonly<Record<string, Leaf>> = {
  required: ({ missingProperty }) => `property "${missingProperty}" is required`,
  type: ({ type }, value) => `wrong type: expected ${expectedTypes(type)}, got ${typeNameOf(value)}`,
  enum: () => "matches none of the enum values",
  const: () => "failed to match the constant",
  pattern: ({ pattern }, value) => `failed to match pattern "${pattern}" with "${printed(value)}"`,
  format: ({ format }, value) => `expect valid ${format} format but got: ${printed(value)}`,
  minLength: ({ limit }, value) => `string too short, expected at least ${limit}, got ${lengthOf(value)}`,
  maxLength: ({ limit }, value) => `string too long, expected at most ${limit}, got ${lengthOf(value)}`,
  minimum: ({ limit }, value) => `expected ${printed(value)} to be at least ${limit}`,
  maximum: ({ limit }, value) => `expected ${printed(value)} to be at most ${limit}`,
  exclusiveMinimum: ({ limit }, value) => `expected ${printed(value)} to be greater than ${limit}`,
  exclusiveMaximum: ({ limit }, value) => `expected ${printed(value)} to be smaller than ${limit}`,
  multipleOf: ({ multipleOf }, value) => `expected ${printed(value)} to be a multiple of ${multipleOf}`,
  minItems: ({ limit }) => `expect array to have at least ${limit} items`,
  maxItems: ({ limit }) => `expect array to have at most ${limit} items`,
  uniqueItems: ({ i, j }) => `expected unique items but items ${Number(j) + 1} and ${Number(i) + 1} are equal`,
  minProperties: ({ limit }) => `expect object to have at least ${limit} properties`,
  maxProperties: ({ limit }) => `expect object to have at most ${limit} properties`,
  additionalProperties: ({ additionalProperty }) => `additional properties forbidden, found ${additionalProperty}`,
  oneOf: () => "value should match only one schema, but matches none",
  anyOf: () => "object matches none of the required",
};

function leafOf(error: ErrorObject): string {
  const leaf = Object.hasOwn(LEAVES, error.keyword) ? LEAVES[error.keyword] : undefined;
  return leaf === undefined ? (error.message ?? "invalid value") : leaf(error.params, error.data);
}

/** `property "a" validation failed: failed to validate item 1: ` for `/a/0`. */
function placeOf({ instancePath }: ErrorObject): string {
  const segments = instancePath.split("/").slice(1);
  return segments
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((name) =>
      /^\d+$/.test(name) ? `failed to validate item ${Number(name) + 1}: ` : `property "${name}" validation failed: `,
    )
    .join("");
}

function expectedTypes(type: unknown): string {
  return Array.isArray(type) ? `one of ${type.join(", ")}` : String(type);
}

/** Lua calls lists and objects alike a table. */
function typeNameOf(value: unknown): string {
  if (value === null) return "userdata";
  return typeof value === "object" ? "table" : typeof value;
}

function lengthOf(value: unknown): number {
  return [...String(value)].length;
}

function printed(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
