import { z } from "zod";
import { uniqueList } from "../shared/unique-list.ts";

const count = (text: string) => z.int().min(1).default(3).describe(text);

/** Configuration of the plugin (APISIX: api-breaker). */
export const apiBreakerSchema = z.looseObject({
  break_response_code: z.int().min(200).max(599).describe("Status of the answer while the upstream is not asked."),
  break_response_body: z.string().optional().describe("Body of that answer; absent: the gateway's own."),
  break_response_headers: z
    .array(z.looseObject({ key: z.string().min(1), value: z.string().min(1) }))
    .optional()
    .describe("Fields added to that answer, with `$variables`; only with `break_response_body`."),
  max_breaker_sec: z.int().min(3).default(300).describe("Longest time in seconds that the upstream is not asked."),
  unhealthy: z
    .looseObject({
      http_statuses: uniqueList(z.int().min(500).max(599), { min: 1 })
        .default([500])
        .describe("Statuses of the upstream that count as failures."),
      failures: count("Failures after which the upstream is not asked."),
    })
    .default({ http_statuses: [500], failures: 3 })
    .describe("What a failing upstream is."),
  healthy: z
    .looseObject({
      http_statuses: uniqueList(z.int().min(200).max(499), { min: 1 })
        .default([200])
        .describe("Statuses of the upstream that count as successes."),
      successes: count("Successes after which failures are forgotten."),
    })
    .default({ http_statuses: [200], successes: 3 })
    .describe("What a recovered upstream is."),
});

/** {@link apiBreakerSchema} with defaults filled in. */
export type ApiBreakerConfig = z.output<typeof apiBreakerSchema>;
