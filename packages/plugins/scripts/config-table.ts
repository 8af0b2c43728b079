import { z } from "zod";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A property of a configuration, nested ones with their dotted path. */
interface Row {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/** A Markdown table of a configuration's properties: name, type, bounds, default, description. */
export function renderConfigTable(schema: z.ZodType): string {
  const rows = rowsOf(z.toJSONSchema(schema, { io: "input" }), "");
  return [
    "| Name | Type | Bounds | Default | Description |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map(renderRow),
  ].join("\n");
}

function rowsOf(schema: JsonSchema, prefix: string): readonly Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property === "boolean") return [];
    const path = `${prefix}${name}`;
    const row: Row = { path, schema: property, isRequired: schema.required?.includes(name) === true };
    return [row, ...rowsOf(property, `${path}.`)];
  });
}

function renderRow({ path, schema, isRequired }: Row): string {
  const name = isRequired ? `\`${path}\` (required)` : `\`${path}\``;
  const fallback = schema.default === undefined ? "" : `\`${JSON.stringify(schema.default)}\``;
  return `| ${[name, schema.type ?? "any", boundsOf(schema), fallback, schema.description ?? ""].join(" | ")} |`;
}

/** Bounds that the schema's author set; those of JavaScript's safe integers come from the library. */
function boundsOf({ minimum, maximum }: JsonSchema): string {
  const bounds: string[] = [];
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER) bounds.push(`>= ${minimum}`);
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) bounds.push(`<= ${maximum}`);
  return bounds.join(", ");
}
