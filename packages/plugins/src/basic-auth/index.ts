import { definePlugin } from "@fngate/plugin-kit";
import { authenticateByPassword } from "./authenticate.ts";
import { basicAuthConsumerSchema } from "./consumer-schema.ts";
import { basicAuthSchema } from "./schema.ts";

/** Lets those in who give a consumer's name and password (APISIX: basic-auth; RFC 7617). */
export const basicAuth = definePlugin({
  name: "basic-auth",
  version: 0.1,
  priority: 2520,
  type: "auth",
  schema: basicAuthSchema,
  consumerSchema: basicAuthConsumerSchema,
  consumerSecretFields: ["password"],
  identityField: "username",
  setup: authenticateByPassword,
});
