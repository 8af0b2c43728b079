import { z } from "zod";
import { requireAnyOf, requireProperties } from "../shared/required-fields.ts";

/** Configuration of the plugin; at least one of the bodies has to be there (APISIX: echo). */
export const echoSchema = requireAnyOf(
  z.looseObject({
    before_body: z.string().optional().describe("Text put before the answer's body."),
    body: z.string().optional().describe("Text in place of the answer's body."),
    after_body: z.string().optional().describe("Text put after the answer's body."),
    headers: requireProperties(z.record(z.string(), z.unknown()))
      .optional()
      .describe("Fields set on the answer; values that are neither text nor number are passed over."),
  }),
  ["before_body", "body", "after_body"],
);

/** {@link echoSchema} as parsed. */
export type EchoConfig = z.output<typeof echoSchema>;
