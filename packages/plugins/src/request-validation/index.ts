import { definePlugin } from "@fngate/plugin-kit";
import { requestValidationSchema } from "./schema.ts";
import { validateRequests } from "./validate.ts";

/** Refuses requests that are not what a JSON Schema says (APISIX: request-validation). */
export const requestValidation = definePlugin({
  name: "request-validation",
  version: 0.1,
  priority: 2800,
  schema: requestValidationSchema,
  setup: validateRequests,
});
