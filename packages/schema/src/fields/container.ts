import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { applyRules, isRecord, type Rule } from "./rules.ts";

/**
 * Objects and arrays as APISIX's validator sees them: Lua has one empty table, so an empty array is an empty object and
 * the other way round.
 *
 * The schemas made here must not be refined further (`.check`, `.meta` and their like copy a schema and would lose
 * that rule); pass the rules in. Wrapping (`.optional()`, `.default()`) is fine.
 */

/** An object that takes no other properties than those named. */
export function closedObject<TShape extends z.core.$ZodLooseShape>(shape: TShape, ...rules: readonly Rule[]) {
  return takingEmpty(applyRules(z.strictObject(shape), rules), () => ({}));
}

/** An object that may carry further properties. */
export function openObject<TShape extends z.core.$ZodLooseShape>(shape: TShape, ...rules: readonly Rule[]) {
  return takingEmpty(applyRules(z.looseObject(shape), rules), () => ({}));
}

/** A map from any key to values of one schema; messages name the pattern `.*`, as APISIX's do. */
export function mapOf<TValue extends z.ZodType>(value: TValue, ...rules: readonly Rule[]) {
  const schema = takingEmpty(stoppingEarly(applyRules(z.record(z.string(), value), rules), value), () => ({}));
  patternMaps.add(schema);
  return schema;
}

/** Tells whether a schema came from {@link mapOf}. */
export function isPatternMap(schema: object): boolean {
  return patternMaps.has(schema);
}

/** Bounds of an array. */
export interface ListRules {
  readonly min?: number;
  readonly max?: number;
  readonly isUnique?: boolean;
}

/** An array of one kind of item. */
export function listOf<TItem extends z.ZodType>(item: TItem, { min, max, isUnique = false }: ListRules = {}) {
  let schema = z.array(item);
  if (min !== undefined) schema = schema.min(min);
  if (max !== undefined) schema = schema.max(max);
  if (isUnique) {
    schema = schema
      .check((context) => {
        const pair = firstEqualPair(context.value);
        if (pair === undefined) return;
        const message = `expected unique items but items ${pair[0] + 1} and ${pair[1] + 1} are equal`;
        context.issues.push({ code: "custom", message, input: context.value });
      })
      .meta({ uniqueItems: true });
  }
  return takingEmpty(stoppingEarly(schema, item), () => []);
}

const patternMaps = new WeakSet<object>();

/** Makes `schema` take an empty container of either form; changes the instance it is given. */
function takingEmpty<TSchema extends z.ZodType>(schema: TSchema, empty: () => unknown): TSchema {
  const run = schema._zod.run;
  schema._zod.run = (payload, context) => {
    if (isEmptyContainer(payload.value)) payload.value = empty();
    return run(payload, context);
  };
  return schema;
}

/** Makes `schema` stop at its first bad child, which zod's own does not; changes the instance it is given. */
function stoppingEarly<TSchema extends z.ZodType>(schema: TSchema, child: z.ZodType): TSchema {
  const run = schema._zod.run;
  schema._zod.run = (payload, context) => {
    // A container of the other form is refused as a whole, not for what is in it.
    const isRightForm = Array.isArray(payload.value) === (schema._zod.def.type === "array");
    const issues = isRightForm ? firstIssues(payload.value, child, context) : undefined;
    if (issues === undefined) return run(payload, context);
    payload.issues.push(...issues);
    return payload;
  };
  return schema;
}

function firstIssues(
  container: unknown,
  child: z.ZodType,
  context: z.core.ParseContextInternal,
): readonly z.core.$ZodRawIssue[] | undefined {
  if (Array.isArray(container)) {
    for (const [index, item] of container.entries()) {
      const issues = issuesOf(item, child, context);
      if (issues.length > 0) return z.core.util.prefixIssues(index, [...issues]);
    }
  } else if (isRecord(container)) {
    for (const key of Object.keys(container)) {
      const issues = issuesOf(container[key], child, context);
      if (issues.length > 0) return z.core.util.prefixIssues(key, [...issues]);
    }
  }
  return undefined;
}

function issuesOf(
  value: unknown,
  schema: z.ZodType,
  context: z.core.ParseContextInternal,
): readonly z.core.$ZodRawIssue[] {
  const result = schema._zod.run({ value, issues: [] }, context);
  return result instanceof Promise ? [] : result.issues;
}

/** Tells whether a value is `{}` or `[]`. */
export function isEmptyContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if (Object.hasOwn(value, key)) return false;
  return true;
}

/** Positions of the first two equal items; strings are looked up instead of compared, as large lists hold nothing else. */
function firstEqualPair(items: readonly unknown[]): readonly [number, number] | undefined {
  const positions = new Map<unknown, number>();
  const composites: number[] = [];
  for (const [index, item] of items.entries()) {
    if (typeof item === "object" && item !== null) {
      const earlier = composites.find((position) => isDeepStrictEqual(items[position], item));
      if (earlier !== undefined) return [earlier, index];
      composites.push(index);
      continue;
    }
    const earlier = positions.get(item);
    if (earlier !== undefined) return [earlier, index];
    positions.set(item, index);
  }
  return undefined;
}
