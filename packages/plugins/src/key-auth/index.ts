import { definePlugin } from "@fngate/plugin-kit";
import { authenticateByKey } from "./authenticate.ts";
import { keyAuthConsumerSchema } from "./consumer-schema.ts";
import { keyAuthSchema } from "./schema.ts";

/** Lets those in who present the key of a consumer (APISIX: key-auth). */
export const keyAuth = definePlugin({
  name: "key-auth",
  version: 0.1,
  priority: 2500,
  type: "auth",
  schema: keyAuthSchema,
  consumerSchema: keyAuthConsumerSchema,
  consumerSecretFields: ["key"],
  identityField: "key",
  setup: authenticateByKey,
});
