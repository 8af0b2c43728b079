import type { z } from "zod";

/** A rule over the properties of one object, together with the JSON Schema keywords that say the same. */
export interface Rule {
  /** What is wrong in APISIX's words, or nothing. */
  problem(value: Readonly<Record<string, unknown>>): string | undefined;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Which properties one branch of a combinator requires. */
export type RequiredNames = readonly string[];

/** `anyOf` over sets of required properties; the message lists them all. */
export function anyOfRequired(...branches: readonly RequiredNames[]): Rule {
  const list = branches.map((names) => JSON.stringify(names)).join(" or ");
  return {
    problem: (value) =>
      branches.some((names) => hasAll(value, names)) ? undefined : `object matches none of the required: ${list}`,
    json: { anyOf: branches.map(requiredSchema) },
  };
}

/** `oneOf` over sets of required properties: exactly one set is complete. */
export function oneOfRequired(...branches: readonly RequiredNames[]): Rule {
  return {
    problem: (value) => oneOfProblem(branches.map((names) => hasAll(value, names))),
    json: { oneOf: branches.map(requiredSchema) },
  };
}

/** `oneOf` over single properties of which at most one may be there. */
export function atMostOneOf(...names: readonly string[]): Rule {
  const none = { not: { anyOf: names.map((name) => requiredSchema([name])) } };
  return {
    problem: (value) => {
      const branches = names.map((name) => has(value, name));
      return oneOfProblem([...branches, !branches.includes(true)]);
    },
    json: { oneOf: [...names.map((name) => requiredSchema([name])), none] },
  };
}

/** `allOf`: the rules in order; the message counts from 1. */
export function allOf(...members: readonly Rule[]): Rule {
  return {
    problem: (value) => {
      for (const [index, member] of members.entries()) {
        const inner = member.problem(value);
        if (inner !== undefined) return `allOf ${index + 1} failed: ${inner}`;
      }
      return undefined;
    },
    json: { allOf: members.map((member) => member.json) },
  };
}

/** `not`: none of these sets of properties may be complete. */
export function noneOfRequired(...branches: readonly RequiredNames[]): Rule {
  const inner = branches.map(requiredSchema);
  return {
    problem: (value) =>
      branches.some((names) => hasAll(value, names)) ? "value wasn't supposed to match schema" : undefined,
    json: { not: inner.length === 1 ? inner[0] : { anyOf: inner } },
  };
}

/** A schema dependency: `rule` holds for objects that have `name`. */
export function dependency(name: string, rule: Rule): Rule {
  return {
    problem: (value) => {
      const inner = has(value, name) ? rule.problem(value) : undefined;
      return inner === undefined ? undefined : `failed to validate dependent schema for "${name}": ${inner}`;
    },
    json: { dependencies: { [name]: rule.json } },
  };
}

/** A list dependency: objects that have `name` have `needed` too. */
export function listDependency(name: string, needed: string): Rule {
  return {
    problem: (value) =>
      has(value, name) && !has(value, needed) ? `property "${needed}" is required when "${name}" is set` : undefined,
    json: { dependencies: { [name]: [needed] } },
  };
}

/** A plain `required` inside a combinator. */
export function required(...names: readonly string[]): Rule {
  return {
    problem: (value) => {
      const missing = names.find((name) => !has(value, name));
      return missing === undefined ? undefined : `property "${missing}" is required`;
    },
    json: requiredSchema(names),
  };
}

/** `if`/`then`/`else`; the reason inside the failed clause is lost, as in APISIX. */
export function ifThenElse(condition: Condition, onTrue: Rule, onFalse: Rule): Rule {
  return {
    problem: (value) => {
      if (condition.holds(value)) return onTrue.problem(value) === undefined ? undefined : "then clause did not match";
      return onFalse.problem(value) === undefined ? undefined : "else clause did not match";
    },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; nobody awaits this object
    json: { if: condition.json, then: onTrue.json, else: onFalse.json },
  };
}

/** What {@link ifThenElse} decides on. */
export interface Condition {
  holds(value: Readonly<Record<string, unknown>>): boolean;
  readonly json: Readonly<Record<string, unknown>>;
}

/** `maxProperties`. */
export function atMostProperties(count: number): Rule {
  return {
    problem: (value) =>
      Object.keys(value).length > count ? `expect object to have at most ${count} properties` : undefined,
    json: { maxProperties: count },
  };
}

/** Puts the rules on an object schema, in order; the first that fails is the one reported. */
export function applyRules<TSchema extends z.ZodType>(schema: TSchema, rules: readonly Rule[]): TSchema {
  if (rules.length === 0) return schema;
  return schema
    .check((context) => {
      const value: unknown = context.value;
      if (!isRecord(value)) return;
      for (const rule of rules) {
        const message = rule.problem(value);
        if (message === undefined) continue;
        context.issues.push({ code: "custom", message, input: context.value });
        return;
      }
    })
    .meta(jsonOf(rules));
}

/** Tells whether a value is an object but no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function oneOfProblem(matches: readonly boolean[]): string | undefined {
  const first = matches.indexOf(true);
  if (first === -1) return "value should match only one schema, but matches none";
  const second = matches.indexOf(true, first + 1);
  if (second === -1) return undefined;
  return `value should match only one schema, but matches both schemas ${first + 1} and ${second + 1}`;
}

/** Keywords of all rules; `dependencies` is the one keyword several of them share. */
function jsonOf(rules: readonly Rule[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const { json } of rules) {
    for (const [keyword, value] of Object.entries(json)) {
      const earlier = merged[keyword];
      merged[keyword] = isRecord(earlier) && isRecord(value) ? { ...earlier, ...value } : value;
    }
  }
  return merged;
}

function requiredSchema(names: RequiredNames): Readonly<Record<string, unknown>> {
  return { required: [...names] };
}

function has(value: Readonly<Record<string, unknown>>, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== undefined;
}

function hasAll(value: Readonly<Record<string, unknown>>, names: RequiredNames): boolean {
  return names.every((name) => has(value, name));
}
