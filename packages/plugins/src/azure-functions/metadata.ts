import { z } from "zod";

/** Metadata of the plugin: credentials for every function whose configuration has none. */
export const azureFunctionsMetadataSchema = z.looseObject({
  master_apikey: z.string().default("").describe("Sent as `x-functions-key`; encrypted at rest."),
  master_clientid: z.string().default("").describe("Sent as `x-functions-clientid`."),
});

/** {@link azureFunctionsMetadataSchema} with defaults filled in. */
export type AzureFunctionsMetadata = z.output<typeof azureFunctionsMetadataSchema>;
