import { messageOf } from "@fngate/kernel";
import { z } from "zod";
import { expressionProblem } from "../shared/conditions.ts";
import { compileFilter } from "./body-filters.ts";

const FIELD = /^[^:]+$/;

const scalar = () => z.union([z.string(), z.number()]);

const operations = z.looseObject({
  add: z
    .array(z.string().regex(/^[^:]+:[^:]*[^/]$/))
    .min(1)
    .optional(),
  set: z.record(z.string().regex(FIELD), scalar()).optional(),
  remove: z.array(z.string().regex(FIELD)).min(1).optional(),
});

const legacyMap = z.record(z.string(), scalar());

/** One replacement in the body. */
const filterSchema = z.looseObject({
  regex: z.string().min(1),
  scope: z.enum(["once", "global"]).default("once"),
  replace: z.string(),
  options: z.string().default("jo"),
});

/** Configuration of the plugin (APISIX: response-rewrite). Wire names. */
export const responseRewriteSchema = z
  .looseObject({
    status_code: z.int().min(200).max(598).optional().describe("Status of the answer."),
    headers: z
      .union([operations, legacyMap])
      .optional()
      .describe(
        'Fields: `add` (a list of `"Name: value"`), `set` (a map) and `remove` (a list), done in this order; or a map, which is `set`. Values may hold `$variables`.',
      ),
    body: z.string().optional().describe("Body in place of the answer's."),
    body_base64: z.boolean().default(false).describe("Whether `body` is Base64 of the bytes to send."),
    vars: z.array(z.unknown()).optional().describe("Expression that has to hold, e.g. over `status`."),
    filters: z
      .array(filterSchema)
      .min(1)
      .optional()
      .describe(
        "Replacements in the body, one after the other: `regex`, `replace` (`$1` is a group), `scope` (`once` or `global`) and `options` (`i`, `m`, `s`, `u`). Excludes `body`.",
      ),
    max_resp_body_size: z
      .int()
      .min(1)
      .default(67_108_864)
      .describe("Bytes of a body that `filters` look at; what is beyond is cut off."),
  })
  .superRefine((config, context) => {
    const problem = problemOf(config);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/** One of the `filters`, with defaults filled in. */
export type BodyReplacement = z.output<typeof filterSchema>;

/** {@link responseRewriteSchema} with defaults filled in. */
export interface ResponseRewriteConfig {
  readonly status_code?: number | undefined;
  readonly headers?: HeaderOperations | Readonly<Record<string, string | number>> | undefined;
  readonly body?: string | undefined;
  readonly body_base64: boolean;
  readonly vars?: readonly unknown[] | undefined;
  readonly filters?: readonly BodyReplacement[] | undefined;
  readonly max_resp_body_size: number;
}

/** The field operations of a configuration. */
export type HeaderOperations = z.output<typeof operations>;

/** Whether `headers` has its operations by name. */
export function isOperations(headers: NonNullable<ResponseRewriteConfig["headers"]>): headers is HeaderOperations {
  return ["add", "set", "remove"].some((name) => typeof Reflect.get(headers, name) === "object");
}

function problemOf({ body, body_base64: isBase64, filters, headers, vars }: ResponseRewriteConfig): string | undefined {
  if (body !== undefined && filters !== undefined) {
    return 'failed to validate dependent schema for "filters|body": value wasn\'t supposed to match schema';
  }
  if (isBase64 && !isBase64Text(body ?? "")) return "invalid base64 content";
  const problem = vars === undefined ? undefined : expressionProblem(vars);
  if (problem !== undefined) return `failed to validate the 'vars' expression: ${problem}`;
  return filtersProblem(filters ?? []) ?? mapProblem(headers);
}

function mapProblem(headers: ResponseRewriteConfig["headers"]): string | undefined {
  if (headers === undefined || isOperations(headers)) return undefined;
  const isSendable = (value: unknown): boolean => typeof value === "string" || typeof value === "number";
  if (!Object.values(headers).every(isSendable)) return "invalid type as header value";
  return "" in headers ? "invalid field length in header" : undefined;
}

function isBase64Text(text: string): boolean {
  return text !== "" && /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.replace(/=+$/, "").length % 4 !== 1;
}

function filtersProblem(filters: readonly BodyReplacement[]): string | undefined {
  for (const filter of filters) {
    try {
      compileFilter(filter);
    } catch (error) {
      return `regex "${filter.regex}" validation failed: ${messageOf(error)}`;
    }
  }
  return undefined;
}
