import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { OVERRIDES } from "./overrides.ts";
import { configSchema } from "./schema.ts";
import { noteOf, schemaFor, shapeOf } from "./schema-walk.ts";
import { type Path, type Tree, valueAt } from "./tree.ts";
import { UNSUPPORTED_KEYS } from "./unsupported.ts";

/** The tables of `docs/configuration.md`, each between marks that carry its name. */
export const TABLES: Readonly<Record<string, () => string>> = {
  keys: renderKeys,
  overrides: renderOverrides,
  unsupported: renderUnsupported,
};

/** Replaces what stands between the marks of every table by the table as the code has it. */
export function renderTables(page: string): string {
  return Object.entries(TABLES).reduce((text, [name, render]) => {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
    if (start < 0 || stop < start) throw new Error(`the page has no place for the table ${name}`);
    return `${text.slice(0, start)}${begin}\n\n${render()}\n\n${text.slice(stop)}`;
  }, page);
}

function renderKeys(): string {
  return renderTable(
    ["key", "type", "default", "what it does", "difference from APISIX"],
    leavesOf(configSchema, []).map(({ path, schema }) => {
      const note = noteOf(schema);
      if (note === undefined) throw new Error(`${path.join(".")} has no note`);
      const fallback = note.isSecret === true ? "(see the code)" : renderDefault(valueAt(DEFAULTS, path));
      return [
        `\`${path.join(".")}\``,
        note.type ?? typeOf(schema),
        valueAt(DEFAULTS, path) === undefined ? "" : fallback,
        note.description,
        note.difference ?? "",
      ];
    }),
  );
}

interface Leaf {
  readonly path: Path;
  readonly schema: z.core.$ZodType;
}

/** Keys with a note, and keys below maps without one. */
function leavesOf(schema: z.core.$ZodType, path: Path): Leaf[] {
  const shape = shapeOf(schemaFor(schema, {}));
  if (noteOf(schema) !== undefined || Object.keys(shape).length === 0) return [{ path, schema }];
  return Object.entries(shape).flatMap(([key, child]) => leavesOf(child, [...path, key]));
}

function typeOf(schema: z.core.$ZodType): string {
  const inner = schemaFor(schema, undefined);
  if (inner instanceof z.ZodEnum) return inner.options.map((option) => `\`${option}\``).join(", ");
  if (inner instanceof z.ZodBoolean) return "boolean";
  return inner instanceof z.ZodNumber ? "number" : "text";
}

function renderDefault(value: Tree | undefined): string {
  return value === undefined ? "" : `\`${JSON.stringify(value)}\``;
}

function renderOverrides(): string {
  return renderTable(
    ["key", "flag", "environment variable", "value"],
    OVERRIDES.map(({ path, flag, variables, placeholder, description }) => [
      `\`${path}\``,
      flag === undefined ? "" : `\`--${flag} ${placeholder ?? "VALUE"}\``,
      variables.map((name) => `\`${name}\``).join(", "),
      description,
    ]),
  );
}

function renderUnsupported(): string {
  return renderTable(
    ["key", "why"],
    [...UNSUPPORTED_KEYS].map(([key, reason]) => [`\`${key}\``, reason]),
  );
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
