import { z } from "zod";
import { isEmptyContainer } from "./fields/container.ts";
import { codePointLength } from "./lua-format.ts";
import { stepInto, unwrap } from "./schema-path.ts";
import { isSecretReference } from "./secret-reference.ts";
import { renderIssue, valueAt } from "./validation-message.ts";

/** What {@link checkValue} returns: the value with defaults, or APISIX's text. */
export type CheckResult<TValue> =
  | { readonly ok: true; readonly value: TValue }
  | { readonly ok: false; readonly message: string };

/**
 * Validates JSON as APISIX does and returns a new value with the defaults filled in; the input is not changed.
 *
 * Beyond the schema's own verdict it grants what APISIX's validator grants and plain zod does not, so that plugin
 * authors can write plain zod: `{}` and `[]` stand for each other, a secret reference passes every rule on a string,
 * lengths count code points, and integers may exceed 2^53. A `__proto__` key anywhere and nesting deeper than 1000
 * levels (the limit of APISIX's JSON decoder) are refused before zod sees them. Throws for an asynchronous
 * schema, which is a mistake of its author, never for a value.
 */
export function checkValue<TSchema extends z.ZodType>(schema: TSchema, value: unknown): CheckResult<z.output<TSchema>> {
  const hazard = findHazard(value);
  if (hazard !== undefined) return { ok: false, message: hazard };
  let input = value;
  for (let swaps = 0; ; swaps += 1) {
    const payload = run(schema, input);
    const issue = firstIssue(payload.issues, input);
    if (issue === undefined) return { ok: true, value: payload.value };
    const swapped = swaps < MAX_SWAPS ? swapEmpty(schema, issue, input) : undefined;
    if (swapped === undefined) return { ok: false, message: renderIssue(issue, input, schema) };
    input = swapped;
  }
}

/** Nesting APISIX's JSON decoder accepts. */
const MAX_DEPTH = 1000;
/** Empty containers of the wrong form that one value may hold in places of plain zod schemas. */
const MAX_SWAPS = 100;

/** Looks for what must not reach any code that copies or recurses; a stack of its own, as the input may be deep. */
function findHazard(root: unknown): string | undefined {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value !== "object" || value === null) continue;
    if (depth > MAX_DEPTH) return `found too many nested data structures (${MAX_DEPTH + 1})`;
    if (Object.hasOwn(value, "__proto__")) return "additional properties forbidden, found __proto__";
    for (const child of Object.values(value)) {
      if (typeof child === "object" && child !== null) pending.push({ value: child, depth: depth + 1 });
    }
  }
  return undefined;
}

/** Tells whether APISIX would not raise this issue. */
function isExcused(issue: z.core.$ZodIssue, root: unknown): boolean {
  if (issue.code === "invalid_type" || issue.code === "unrecognized_keys") return false;
  const input = valueAt(root, issue.path);
  if (isSecretReference(input)) return true;
  if (issue.code !== "too_big") return false;
  if (typeof input === "string") return codePointLength(input) <= Number(issue.maximum);
  // zod's own integer format stops at 2^53 and says so in a note; a bound the author set carries none.
  return "note" in issue && issue.note !== undefined && Number.isInteger(input);
}

/**
 * Parses through zod's core rather than `safeParse`: that words every issue, of which a hostile value has a hundred
 * thousand, and keeps back the value when all issues are excused. For the same reason the first pass stops at the
 * first bad child of each container; only when that is excused does a second pass look at the rest.
 */
function run<TSchema extends z.ZodType>(schema: TSchema, input: unknown): z.core.ParsePayload<z.output<TSchema>> {
  const quick = schema._zod.run({ value: input, issues: [] }, { async: false, abortEarly: true });
  if (quick instanceof Promise) throw new TypeError("a schema of configuration must not be asynchronous");
  const isDecided = quick.issues.length === 0 || firstIssue(quick.issues, input) !== undefined;
  const payload = isDecided ? quick : schema._zod.run({ value: input, issues: [] }, { async: false });
  return payload as z.core.ParsePayload<z.output<TSchema>>;
}

/** The first issue APISIX would raise as well. */
function firstIssue(issues: readonly z.core.$ZodRawIssue[], input: unknown): z.core.$ZodIssue | undefined {
  for (const raw of issues) {
    const issue = z.core.util.finalizeIssue(raw, undefined, z.core.config());
    if (!isExcused(issue, input)) return issue;
  }
  return undefined;
}

/** The input with the empty container an issue complains of replaced by one of the form the schema wants. */
function swapEmpty(schema: z.ZodType, issue: z.core.$ZodIssue, root: unknown): unknown {
  if (issue.code !== "invalid_type") return undefined;
  const input = valueAt(root, issue.path);
  if (!isEmptyContainer(input)) return undefined;
  let expected: z.core.$ZodType | undefined = schema;
  for (const segment of issue.path) expected = stepInto(expected, segment).schema;
  const type = expected === undefined ? issue.expected : unwrap(expected)._zod.def.type;
  if (type === "array" && !Array.isArray(input)) return replaceAt(root, issue.path, []);
  if ((type === "object" || type === "record") && Array.isArray(input)) return replaceAt(root, issue.path, {});
  return undefined;
}

function replaceAt(root: unknown, path: readonly PropertyKey[], replacement: unknown): unknown {
  const [segment, ...rest] = path;
  if (segment === undefined) return replacement;
  if (Array.isArray(root)) {
    return root.map((item: unknown, index) => (index === segment ? replaceAt(item, rest, replacement) : item));
  }
  return { ...(root as object), [segment]: replaceAt(valueAt(root, [segment]), rest, replacement) };
}
