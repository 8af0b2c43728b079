import { z } from "zod";
import { checkExpressions } from "../shared/conditions.ts";
import { checkBodyConditions, logFields } from "../shared/log/log-fields.ts";

/** Configuration of the plugin (APISIX: file-logger). */
export const fileLoggerSchema = z
  .looseObject({
    path: z.string().optional().describe("File that entries are appended to; absent: that of the plugin's metadata."),
    match: z
      .array(z.array(z.unknown()))
      .max(20)
      .optional()
      .describe("Conditions on variables, of which one has to hold for a request to be logged."),
    ...logFields,
  })
  .superRefine(checkBodyConditions)
  .superRefine(({ match = [] }, context) =>
    checkExpressions(context, match, "failed to validate the 'match' expression: "),
  );

/** {@link fileLoggerSchema} with defaults filled in. */
export type FileLoggerConfig = z.output<typeof fileLoggerSchema>;
