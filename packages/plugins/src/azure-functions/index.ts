import { definePlugin } from "@fngate/plugin-kit";
import { invokeAzureFunction } from "./invoke.ts";
import { azureFunctionsMetadataSchema } from "./metadata.ts";
import { azureFunctionsSchema } from "./schema.ts";

/** Calls an Azure function in place of the route's upstream (APISIX: azure-functions). */
export const azureFunctions = definePlugin({
  name: "azure-functions",
  version: 0.1,
  priority: -1900,
  schema: azureFunctionsSchema,
  secretFields: ["authorization.apikey"],
  metadataSchema: azureFunctionsMetadataSchema,
  metadataSecretFields: ["master_apikey"],
  setup: invokeAzureFunction,
});
