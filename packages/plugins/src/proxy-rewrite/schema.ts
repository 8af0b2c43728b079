import { messageOf } from "@fngate/kernel";
import { z } from "zod";
import { compilePattern } from "../shared/patterns.ts";
import { toByteString } from "../shared/wire-text.ts";

const METHODS = [
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "DELETE",
  "OPTIONS",
  "MKCOL",
  "COPY",
  "MOVE",
  "PROPFIND",
  "LOCK",
  "UNLOCK",
  "PATCH",
  "TRACE",
] as const;

const FIELD = /^[^:]+$/;

const scalar = () => z.union([z.string(), z.number()]);

const valuesByField = () => z.record(z.string().regex(FIELD), z.union([scalar(), z.array(scalar()).min(1)]));

const operations = z.strictObject({
  add: valuesByField().optional(),
  set: valuesByField().optional(),
  remove: z.array(z.string().regex(FIELD)).min(1).optional(),
});

const legacyMap = z.record(z.string(), scalar());

/** Configuration of the plugin (APISIX: proxy-rewrite). Wire names. */
export const proxyRewriteSchema = z
  .looseObject({
    uri: z
      .string()
      .min(1)
      .max(4096)
      .regex(/^\/.*/)
      .optional()
      .describe("Path, and perhaps query, to ask the upstream for, with `$variables`. Wins over `regex_uri`."),
    method: z.enum(METHODS).optional().describe("Method to call the upstream with."),
    regex_uri: z
      .array(z.string())
      .min(2)
      .optional()
      .describe(
        "Pairs of regular expression and replacement (`$1` is a group); the first that matches the path counts.",
      ),
    host: z
      .string()
      .regex(/^[0-9a-zA-Z-.]+(:\d{1,5})?$/)
      .optional()
      .describe("`Host` for upstreams with `pass_host: pass`."),
    headers: z
      .union([operations, legacyMap])
      .optional()
      .describe(
        "`add`, `set` and `remove`, done in this order; or a map, which is `set`. Values may hold `$variables` and `$1`, the groups of `regex_uri`; lists repeat the field.",
      ),
    use_real_request_uri_unsafe: z
      .boolean()
      .default(false)
      .describe("Whether the request's target is rewritten as the client sent it, encoded and with its query."),
  })
  .superRefine(({ headers, regex_uri: regexUri = [] }, context) => {
    const problem = regexProblem(regexUri) ?? headersProblem(headers);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/** {@link proxyRewriteSchema} with defaults filled in. */
export type ProxyRewriteConfig = z.output<typeof proxyRewriteSchema>;

/** The field operations of a configuration. */
export type HeaderOperations = z.output<typeof operations>;

/** Whether `headers` has its operations by name. */
export function isOperations(headers: NonNullable<ProxyRewriteConfig["headers"]>): headers is HeaderOperations {
  return ["add", "set", "remove"].some((name) => typeof Reflect.get(headers, name) === "object");
}

function headersProblem(headers: ProxyRewriteConfig["headers"]): string | undefined {
  if (headers === undefined) return undefined;
  if (Object.keys(headers).length === 0)
    return 'property "headers" validation failed: object needs at least 1 properties';
  if (isOperations(headers)) return undefined;
  for (const [name, value] of Object.entries(headers)) {
    const problem = fieldProblem(name, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function fieldProblem(name: string, value: string | number): string | undefined {
  if (name === "") return "invalid field length in header";
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) return "invalid field character in header";
  return typeof value === "string" && /[^\x20-\x7e]/.test(value) ? "invalid value character in header" : undefined;
}

function regexProblem(pairs: readonly string[]): string | undefined {
  if (pairs.length % 2 !== 0) return "The length of regex_uri should be an even number";
  for (let index = 0; index < pairs.length; index += 2) {
    const [pattern = "", replacement = ""] = pairs.slice(index, index + 2);
    const problem = patternProblem(pattern) ?? replacementProblem(replacement);
    if (problem !== undefined) return `invalid regex_uri(${pattern}, ${replacement}): ${problem}`;
  }
  return undefined;
}

function patternProblem(pattern: string): string | undefined {
  try {
    compilePattern(toByteString(pattern));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** What a dollar sign stands before that is neither a group nor another dollar sign. */
function replacementProblem(replacement: string): string | undefined {
  const rest = replacement.replace(/\$(?:\$|\d+|\{\d+\})/g, "");
  return rest.includes("$") ? `invalid capturing variable name found in "${replacement}"` : undefined;
}
