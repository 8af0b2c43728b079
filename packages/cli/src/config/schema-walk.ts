import { z } from "zod";
import { type FieldNote, fieldNotes } from "./field-notes.ts";
import { isTreeMap, type Path, type Tree } from "./tree.ts";

/** The schema inside `optional` and the like, of several alternatives the one that suits the value's shape. */
export function schemaFor(schema: z.core.$ZodType, value: Tree | undefined): z.core.$ZodType {
  if (schema instanceof z.ZodOptional) return schemaFor(schema.unwrap(), value);
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = schema.options.map((option) => schemaFor(option, value));
  return options.find((option) => suits(option, value)) ?? schema;
}

function suits(schema: z.core.$ZodType, value: Tree | undefined): boolean {
  if (Array.isArray(value)) return schema instanceof z.ZodArray;
  if (isTreeMap(value)) return schema instanceof z.ZodObject;
  return schema instanceof z.ZodType && schema.safeParse(value).success;
}

/** Keys of a schema's map, empty for anything else. */
export function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  return schema instanceof z.ZodObject ? schema.shape : {};
}

/** What is noted about a schema, looking through `optional`. */
export function noteOf(schema: z.core.$ZodType): FieldNote | undefined {
  return fieldNotes.get(schema) ?? (schema instanceof z.ZodOptional ? noteOf(schema.unwrap()) : undefined);
}

/** What {@link walk} hands to its visitor. */
export interface Visit {
  readonly path: Path;
  readonly value: Tree;
  /** Absent below a key that the schema does not know. */
  readonly schema: z.core.$ZodType | undefined;
  /** Keys that the schema knows beside this one, for hints. */
  readonly siblings: readonly string[];
}

/** Where a walk begins. */
export interface WalkStart {
  readonly value: Tree;
  readonly schema: z.core.$ZodType;
}

/** Visits every value below the root together with its schema; the visitor's false keeps it from going deeper. */
export function walk(start: WalkStart, visitor: (visit: Visit) => boolean): void {
  descend({ ...start, path: [], siblings: [] }, visitor);
}

function descend(visit: Visit, visitor: (visit: Visit) => boolean): void {
  for (const child of childrenOf(visit)) {
    if (visitor(child)) descend(child, visitor);
  }
}

/** The schema of members that have no name in a map's own. */
function openSchema(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.def.catchall;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return schema instanceof z.ZodUnknown ? schema : undefined;
}

function childrenOf({ path, value, schema }: Visit): Visit[] {
  const inner = schema === undefined ? undefined : schemaFor(schema, value);
  if (Array.isArray(value)) {
    const element = inner instanceof z.ZodArray ? inner.element : openSchema(inner);
    return value.map((item, index) => ({ path: [...path, index], value: item, schema: element, siblings: [] }));
  }
  if (!isTreeMap(value)) return [];
  const shape = inner === undefined ? {} : shapeOf(inner);
  const siblings = Object.keys(shape);
  return Object.entries(value).map(([key, child]) => ({
    path: [...path, key],
    value: child,
    schema: Object.hasOwn(shape, key) ? shape[key] : openSchema(inner),
    siblings,
  }));
}
