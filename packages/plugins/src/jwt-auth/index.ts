import { definePlugin } from "@fngate/plugin-kit";
import { authenticateByToken } from "./authenticate.ts";
import { jwtAuthConsumerSchema } from "./consumer-schema.ts";
import { jwtAuthSchema } from "./schema.ts";

/** Lets those in who present a token that a consumer signed (APISIX: jwt-auth; RFC 7519). */
export const jwtAuth = definePlugin({
  name: "jwt-auth",
  version: 0.1,
  priority: 2510,
  type: "auth",
  schema: jwtAuthSchema,
  consumerSchema: jwtAuthConsumerSchema,
  consumerSecretFields: ["secret"],
  identityField: "key",
  setup: authenticateByToken,
});
