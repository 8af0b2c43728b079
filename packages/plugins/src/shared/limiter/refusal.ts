import type { Reply } from "@fngate/plugin-kit";
import { z } from "zod";

/** What the limiting plugins answer with (APISIX: limit-count, limit-req, limit-conn). Wire names. */
export const refusalFields = {
  rejected_code: z.int().min(200).max(599).default(503).describe("Status of the answer to a request over the limit."),
  rejected_msg: z.string().min(1).optional().describe("`error_msg` of that answer; absent: the gateway's own body."),
  allow_degradation: z
    .boolean()
    .default(false)
    .describe("Whether requests go on when they cannot be counted, e.g. while Redis is away; else they get 500."),
};

/** {@link refusalFields} with defaults filled in. */
export interface RefusalConfig {
  readonly rejected_code: number;
  readonly rejected_msg?: string | undefined;
}

/** The answer to a request over the limit. */
export function refusalOf({ rejected_code: status, rejected_msg: message }: RefusalConfig): Reply {
  return message === undefined ? { kind: "reply", status } : { kind: "reply", status, body: { error_msg: message } };
}
