import { definePlugin } from "@fngate/plugin-kit";
import { authenticateBySignature } from "./authenticate.ts";
import { hmacAuthConsumerSchema } from "./consumer-schema.ts";
import { hmacAuthSchema } from "./schema.ts";

/** Lets those in who sign their requests with a consumer's key (APISIX: hmac-auth). */
export const hmacAuth = definePlugin({
  name: "hmac-auth",
  version: 0.1,
  priority: 2530,
  type: "auth",
  schema: hmacAuthSchema,
  consumerSchema: hmacAuthConsumerSchema,
  consumerSecretFields: ["secret_key"],
  identityField: "key_id",
  setup: authenticateBySignature,
});
