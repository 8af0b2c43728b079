import { z } from "zod";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A property of a configuration, nested ones with their dotted path; `[]` stands for the items of a list. */
interface Row {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/** A Markdown table of a configuration's properties: name, type, bounds, default, description. */
export function renderConfigTable(schema: z.ZodType): string {
  const rows = rowsOf(jsonSchemaOf(schema), "");
  return [
    "| Name | Type | Bounds | Default | Description |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map(renderRow),
  ].join("\n");
}

/** Tells whether a configuration has properties that are known by name. */
export function hasProperties(schema: z.ZodType): boolean {
  return rowsOf(jsonSchemaOf(schema), "").length > 0;
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}

function rowsOf(schema: JsonSchema, prefix: string): readonly Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property === "boolean") return [];
    const path = `${prefix}${name}`;
    const row: Row = { path, schema: property, isRequired: schema.required?.includes(name) === true };
    return [row, ...rowsOf(property, `${path}.`), ...rowsOf(itemsOf(property), `${path}[].`)];
  });
}

/** The schema of a list's items, when they are all alike. */
function itemsOf({ items }: JsonSchema): JsonSchema {
  return typeof items === "object" && !Array.isArray(items) ? (items as JsonSchema) : {};
}

function renderRow({ path, schema, isRequired }: Row): string {
  const name = isRequired ? `\`${path}\` (required)` : `\`${path}\``;
  const fallback = schema.default === undefined ? "" : `\`${JSON.stringify(schema.default)}\``;
  const cells = [name, typeOf(schema), boundsOf(schema), fallback, schema.description ?? ""];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function typeOf(schema: JsonSchema): string {
  const { type } = schema;
  const choices = schema.anyOf ?? schema.oneOf;
  if (type === undefined && choices !== undefined) return alternativesOf(choices as readonly JsonSchema[]);
  const item = type === "array" ? typeOf(itemsOf(schema)) : "any";
  if (item !== "any") return `array of ${item}`;
  return type === undefined ? "any" : [type].flat().join(" or ");
}

function alternativesOf(choices: readonly JsonSchema[]): string {
  return [...new Set(choices.map(typeOf))].join(" or ");
}

/** Bounds that the schema's author set; those of JavaScript's safe integers come from the library. */
function boundsOf(schema: JsonSchema): string {
  const { enum: members = itemsOf(schema).enum, exclusiveMaximum, exclusiveMinimum, maximum, minimum } = schema;
  const bounds: string[] = (members ?? []).map((member) => `\`${String(member)}\``);
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER) bounds.push(`>= ${minimum}`);
  if (isFarIn(exclusiveMinimum)) bounds.push(`> ${exclusiveMinimum}`);
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) bounds.push(`<= ${maximum}`);
  if (isFarIn(exclusiveMaximum)) bounds.push(`< ${exclusiveMaximum}`);
  bounds.push(...sizeOf("characters", schema.minLength, schema.maxLength));
  bounds.push(...sizeOf("items", schema.minItems, schema.maxItems));
  return bounds.join(", ");
}

function isFarIn(bound: number | boolean | undefined): boolean {
  return typeof bound === "number" && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
}

function sizeOf(unit: string, least: number | undefined, most: number | undefined): readonly string[] {
  if (least === undefined && most === undefined) return [];
  if (least === 1 && most === undefined) return ["not empty"];
  if (most === undefined) return [`at least ${least} ${unit}`];
  return [least === undefined ? `at most ${most} ${unit}` : `${least} to ${most} ${unit}`];
}
