import { z } from "zod";
import { codePointLength, formatNumber, luaTypeOf, quote } from "./lua-format.ts";
import { type SchemaStep, stepInto, unwrap } from "./schema-path.ts";

/**
 * Turns a zod failure into the text APISIX answers: the first issue only, its place spelled from the outside in
 * (`property "upstream" validation failed: property "retries" validation failed: expected -1 to be at least 0`).
 *
 * `value` is the input that was parsed; `schema` is what parsed it and lets the words be exact for integers, maps and
 * unions (without it an integer reads as `number` and a map's key as a property). Messages of issues raised by
 * refinements (`code: "custom"`) are taken over word for word. APISIX: jsonschema error texts.
 */
export function renderValidationError(error: z.core.$ZodError, value: unknown, schema?: z.core.$ZodType): string {
  const [issue] = error.issues;
  return issue === undefined ? "invalid value" : renderIssue(issue, value, schema);
}

/** {@link renderValidationError} for one issue. */
export function renderIssue(issue: z.core.$ZodIssue, value: unknown, schema?: z.core.$ZodType): string {
  let prefix = "";
  let input = value;
  let holderPrefix = "";
  let current = schema;
  for (const segment of issue.path) {
    // zod reports from inside a union when one member alone came close; APISIX never does.
    if (current !== undefined && isPlainUnion(unwrap(current))) break;
    const step = stepInto(current, segment);
    holderPrefix = prefix;
    prefix += prefixOf(step, segment);
    input = propertyOf(input, segment);
    current = step.schema;
  }
  const leaf = { input, schema: current === undefined ? undefined : unwrap(current) };
  if (leaf.schema !== undefined && input !== undefined && isPlainUnion(leaf.schema)) return prefix + invalidUnion(leaf);
  if (issue.code === "invalid_key")
    return `${holderPrefix}additional properties forbidden, found ${lastOf(issue.path)}`;
  if (input === undefined && issue.path.length > 0)
    return `${holderPrefix}property "${lastOf(issue.path)}" is required`;
  return prefix + leafOf(issue, leaf);
}

/** The value found along a path, looking at own properties only. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const segment of path) current = propertyOf(current, segment);
  return current;
}

interface Leaf {
  readonly input: unknown;
  readonly schema: z.core.$ZodType | undefined;
}

function prefixOf({ kind }: SchemaStep, segment: PropertyKey): string {
  const name = String(segment);
  switch (kind) {
    case "property":
      return `property "${name}" validation failed: `;
    case "item":
      return `failed to validate item ${Number(segment) + 1}: `;
    case "pattern":
      return `failed to validate ${name} (matching ".*"): `;
    case "additional":
      return `failed to validate additional property ${name}: `;
  }
}

function leafOf(issue: z.core.$ZodIssue, leaf: Leaf): string {
  switch (issue.code) {
    case "invalid_type":
      return wrongType(typeNameOf(issue.expected, leaf.schema), leaf.input);
    case "too_small":
      return tooSmall(issue, leaf.input);
    case "too_big":
      return tooBig(issue, leaf.input);
    case "invalid_format":
      return invalidFormat(issue, leaf.input);
    case "not_multiple_of":
      return `expected ${printed(leaf.input)} to be a multiple of ${formatNumber(Number(issue.divisor))}`;
    case "unrecognized_keys":
      return `additional properties forbidden, found ${issue.keys[0]}`;
    case "invalid_value":
      return invalidValue(issue.values, leaf.input);
    case "invalid_union":
      return invalidUnion(leaf);
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return issue.message;
  }
}

function wrongType(expected: string, input: unknown): string {
  return `wrong type: expected ${expected}, got ${luaTypeOf(input)}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  record: "object",
  map: "object",
  int: "integer",
  tuple: "array",
};

function typeNameOf(expected: string, schema: z.core.$ZodType | undefined): string {
  if (expected === "number" && schema !== undefined && isIntegerSchema(schema)) return "integer";
  return TYPE_NAMES[expected] ?? expected;
}

function isIntegerSchema(schema: z.core.$ZodType): boolean {
  if (z.globalRegistry.get(schema)?.["type"] === "integer") return true;
  return schema instanceof z.ZodNumber && schema.format?.includes("int") === true;
}

function tooSmall(issue: z.core.$ZodIssueTooSmall, input: unknown): string {
  const minimum = formatNumber(Number(issue.minimum));
  if (issue.origin === "string") return `string too short, expected at least ${minimum}, got ${lengthOf(input)}`;
  if (issue.origin === "array") return `expect array to have at least ${minimum} items`;
  return `expected ${printed(input)} to be ${issue.inclusive === false ? "greater than" : "at least"} ${minimum}`;
}

function tooBig(issue: z.core.$ZodIssueTooBig, input: unknown): string {
  const maximum = formatNumber(Number(issue.maximum));
  if (issue.origin === "string") return `string too long, expected at most ${maximum}, got ${lengthOf(input)}`;
  if (issue.origin === "array") return `expect array to have at most ${maximum} items`;
  return `expected ${printed(input)} to be ${issue.inclusive === false ? "smaller than" : "at most"} ${maximum}`;
}

const FORMAT_NAMES: Readonly<Record<string, string>> = { url: "uri", datetime: "date-time" };

function invalidFormat(issue: z.core.$ZodIssueInvalidStringFormat, input: unknown): string {
  if (issue.format !== "regex" || issue.pattern === undefined) {
    return `expect valid ${FORMAT_NAMES[issue.format] ?? issue.format} format but got: ${printed(input)}`;
  }
  return `failed to match pattern ${quote(sourceOf(issue.pattern))} with ${quote(printed(input))}`;
}

/** The pattern as its author meant it: without the delimiters, the flags and the slash escapes of a JS literal. */
function sourceOf(literal: string): string {
  const end = literal.lastIndexOf("/");
  const source = literal.startsWith("/") && end > 0 ? literal.slice(1, end) : literal;
  return source.replaceAll("\\/", "/");
}

/** An enum whose members share a type has that type in APISIX's schemas, and the type is looked at first. */
function invalidValue(values: readonly unknown[], input: unknown): string {
  const [first] = values;
  const type = typeof first;
  const isUniform = (type === "string" || type === "number") && values.every((value) => typeof value === type);
  if (!isUniform || typeof input === type) return "matches none of the enum values";
  return wrongType(type === "number" && values.every(Number.isInteger) ? "integer" : type, input);
}

function invalidUnion({ input, schema }: Leaf): string {
  const union = schema === undefined ? undefined : unionOf(schema);
  if (union?.inclusive === false) return exclusiveUnion(union.options, input);
  const required = (union?.options ?? []).map(requiredOf).filter((names) => names.length > 0);
  const list = required.map((names) => JSON.stringify(names)).join(" or ");
  return list === "" ? "object matches none of the required" : `object matches none of the required: ${list}`;
}

function exclusiveUnion(options: readonly z.core.$ZodType[], input: unknown): string {
  const [first, second] = options.flatMap((option, index) => (z.safeParse(option, input).success ? [index + 1] : []));
  if (first === undefined || second === undefined) return "value should match only one schema, but matches none";
  return `value should match only one schema, but matches both schemas ${first} and ${second}`;
}

function unionOf(schema: z.core.$ZodType): z.core.$ZodUnionDef | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "union" ? def : undefined;
}

/** A union that names no discriminator: its members' own complaints are lost in APISIX's words. */
function isPlainUnion(schema: z.core.$ZodType): boolean {
  const union = unionOf(schema);
  return union !== undefined && !("discriminator" in union);
}

function requiredOf(schema: z.core.$ZodType): readonly string[] {
  const { def } = (unwrap(schema) as z.core.$ZodTypes)._zod;
  if (def.type !== "object") return [];
  return Object.keys(def.shape).filter((name) => def.shape[name]?._zod.optin === undefined);
}

function printed(value: unknown): string {
  return typeof value === "number" ? formatNumber(value) : String(value);
}

function lengthOf(value: unknown): number {
  return typeof value === "string" ? codePointLength(value) : 0;
}

function propertyOf(value: unknown, segment: PropertyKey): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return undefined;
  return Reflect.get(value, segment);
}

function lastOf(path: readonly PropertyKey[]): string {
  return String(path.at(-1) ?? "");
}
