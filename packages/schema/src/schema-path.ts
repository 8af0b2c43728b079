import type { z } from "zod";
import { isPatternMap } from "./fields/container.ts";

/** How a value is held by the one around it, as far as the message words differ. */
type StepKind = "property" | "item" | "additional" | "pattern";

/** One step of an issue's path: which kind of holder it leaves and the schema it arrives at, when known. */
export interface SchemaStep {
  readonly kind: StepKind;
  readonly schema: z.core.$ZodType | undefined;
}

/**
 * Follows one path segment through a zod schema. Issues carry no schema, but the words need it: a map's key reads
 * differently from a property, and only the schema tells an integer from a number.
 */
export function stepInto(schema: z.core.$ZodType | undefined, segment: PropertyKey): SchemaStep {
  const fallback: SchemaStep = { kind: typeof segment === "number" ? "item" : "property", schema: undefined };
  if (schema === undefined) return fallback;
  const inner = unwrap(schema) as z.core.$ZodTypes;
  const { def } = inner._zod;
  if (def.type === "object") return stepIntoObject(def, segment);
  if (def.type === "array") return { kind: "item", schema: def.element };
  if (def.type === "tuple") return { kind: "item", schema: def.items[Number(segment)] ?? def.rest ?? undefined };
  if (def.type === "record") return { kind: isPatternMap(inner) ? "pattern" : "additional", schema: def.valueType };
  // Which member complained is not in the issue; the first that has the property gives the words.
  const members = def.type === "intersection" ? [def.left, def.right] : def.type === "union" ? def.options : [];
  return members.map((member) => stepInto(member, segment)).find(isKnown) ?? fallback;
}

function isKnown({ kind, schema }: SchemaStep): boolean {
  return schema !== undefined && kind !== "additional";
}

/** The schema that decides, below wrappers such as `optional`, `default`, `readonly`, `lazy` and transformations. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let current = schema;
  for (;;) {
    const next = innerOf(current as z.core.$ZodTypes);
    if (next === undefined) return current;
    current = next;
  }
}

function innerOf(schema: z.core.$ZodTypes): z.core.$ZodType | undefined {
  const { def } = schema._zod;
  if ("innerType" in def) return def.innerType;
  if (def.type === "lazy") return def.getter();
  if (def.type !== "pipe") return undefined;
  return def.in._zod.def.type === "transform" ? def.out : def.in;
}

function stepIntoObject(def: z.core.$ZodObjectDef, segment: PropertyKey): SchemaStep {
  const declared = Object.hasOwn(def.shape, segment) ? def.shape[String(segment)] : undefined;
  if (declared !== undefined) return { kind: "property", schema: declared };
  return { kind: "additional", schema: def.catchall };
}
