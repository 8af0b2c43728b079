import { z } from "zod";
import { functionFields } from "../shared/function-fields.ts";

/** Configuration of the plugin on a route, service or rule; properties it does not know are kept (APISIX: azure-functions). */
export const azureFunctionsSchema = z.looseObject({
  ...functionFields,
  authorization: z
    .looseObject({
      apikey: z.string().optional().describe("Key of the function or its host, sent as `x-functions-key`."),
      clientid: z.string().optional().describe("Name of the client, sent as `x-functions-clientid`."),
    })
    .optional()
    .describe("Credentials of the function, for requests that bring none; absent: those of the plugin's metadata."),
});

/** {@link azureFunctionsSchema} with defaults filled in. */
export type AzureFunctionsConfig = z.output<typeof azureFunctionsSchema>;
