import { z } from "zod";
import { backlogFields } from "../batch/batch-fields.ts";
import { expressionProblem } from "../conditions.ts";

const DEFAULT_BODY_BYTES = 524_288;

const format = () => z.record(z.string(), z.unknown()).optional();

const expression = () => z.array(z.array(z.unknown())).min(1).optional();

const bodyBytes = () => z.number().int().min(1).default(DEFAULT_BODY_BYTES);

/** Fields of a configuration that say what is logged about a request (APISIX: the loggers). */
export const logFields = {
  log_format: format().describe("Members of an entry, in place of the default ones: constants, `$variables`, or maps."),
  log_format_extra: format().describe("Members that are added to the default ones."),
  include_req_body: z.boolean().default(false).describe("Whether the request's body is logged."),
  include_req_body_expr: expression().describe("Condition for that, on variables."),
  include_resp_body: z.boolean().default(false).describe("Whether the answer's body is logged, decoded."),
  include_resp_body_expr: expression().describe("Condition for that, on variables, when the answer's head is there."),
  max_req_body_bytes: bodyBytes().describe("Most of the request's body that is logged."),
  max_resp_body_bytes: bodyBytes().describe("Most of the answer's body that is logged."),
};

/** Metadata of a logger: what holds for configurations that have no format of their own. */
export const logMetadataFields = {
  log_format: format().describe("As in a configuration, which counts first."),
  log_format_extra: format().describe("As in a configuration, which counts first."),
};

/** Metadata of a logger that sends batches. */
export const batchLoggerMetadataSchema = z.looseObject({ ...logMetadataFields, ...backlogFields });

/** {@link batchLoggerMetadataSchema} with defaults filled in. */
export type BatchLoggerMetadata = z.output<typeof batchLoggerMetadataSchema>;

type Format = Readonly<Record<string, unknown>>;

/** What {@link logMetadataFields} become. */
export interface LogMetadata {
  readonly log_format?: Format | undefined;
  readonly log_format_extra?: Format | undefined;
}

/** What {@link logFields} become. */
export interface LogConfig extends LogMetadata {
  readonly include_req_body: boolean;
  readonly include_req_body_expr?: readonly unknown[] | undefined;
  readonly include_resp_body: boolean;
  readonly include_resp_body_expr?: readonly unknown[] | undefined;
  readonly max_req_body_bytes: number;
  readonly max_resp_body_bytes: number;
}

/** Refuses conditions that cannot be compiled, in APISIX's words. */
export function checkBodyConditions(
  config: Pick<LogConfig, "include_req_body_expr" | "include_resp_body_expr">,
  context: z.core.$RefinementCtx,
): void {
  for (const field of ["include_req_body_expr", "include_resp_body_expr"] as const) {
    const problem = config[field] === undefined ? undefined : expressionProblem(config[field]);
    if (problem === undefined) continue;
    context.addIssue({ code: "custom", message: `failed to validate the '${field}' expression: ${problem}` });
    return;
  }
}
