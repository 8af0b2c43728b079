import { z } from "zod";
import { functionFields } from "../shared/function-fields.ts";

/**
 * Configuration of the plugin on a route, service or rule. Properties it does not know are taken and kept (APISIX:
 * openfunction). Unlike APISIX, which takes anything as `authorization` and fails per request, it has to be an object.
 */
export const openfunctionSchema = z.looseObject({
  ...functionFields,
  authorization: z
    .looseObject({
      service_token: z
        .string()
        .optional()
        .describe("`user:password`, sent as `Basic` credentials in place of the client's `Authorization`."),
    })
    .optional()
    .describe("Credentials of the function; without them the client's own `Authorization` goes on."),
});

/** {@link openfunctionSchema} with defaults filled in. */
export type OpenfunctionConfig = z.output<typeof openfunctionSchema>;
