import { z } from "zod";
import { headerMapField } from "../shared/answer-fields.ts";
import { checkExpressions } from "../shared/conditions.ts";

const percentage = () =>
  z.int().min(0).max(100).optional().describe("Share of the requests that are affected; absent: all of them.");

const vars = () =>
  z
    .array(z.array(z.unknown()))
    .max(20)
    .optional()
    .describe("Expressions of which one has to hold for a request to be affected.");

/** Configuration of the plugin; at least one of `abort` and `delay` (APISIX: fault-injection). */
export const faultInjectionSchema = z
  .looseObject({
    abort: z
      .looseObject({
        http_status: z.int().min(200).describe("Status of the answer."),
        body: z.string().optional().describe("Body of the answer, with `$variables`; absent: the gateway's own."),
        headers: headerMapField().optional().describe("Fields of the answer, with `$variables` in texts."),
        percentage: percentage(),
        vars: vars(),
      })
      .optional()
      .describe("Answers in place of the upstream."),
    delay: z
      .looseObject({
        duration: z.number().min(0).describe("Seconds to wait, fractions allowed."),
        percentage: percentage(),
        vars: vars(),
      })
      .optional()
      .describe("Holds requests up, before `abort` is looked at."),
  })
  .refine((config) => Object.keys(config).length > 0, "expect object to have at least 1 properties")
  .superRefine(({ abort, delay }, context) =>
    checkExpressions(context, [...(abort?.vars ?? []), ...(delay?.vars ?? [])]),
  );

/** {@link faultInjectionSchema} as parsed. */
export type FaultInjectionConfig = z.output<typeof faultInjectionSchema>;
