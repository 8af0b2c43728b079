import { definePlugin } from "@fngate/plugin-kit";
import { authenticateAtProvider } from "./authenticate.ts";
import { openidConnectSchema } from "./schema.ts";

/** Lets those in whom an OpenID provider knows, by a token or after a login there (APISIX: openid-connect). */
export const openidConnect = definePlugin({
  name: "openid-connect",
  version: 0.2,
  priority: 2599,
  schema: openidConnectSchema,
  secretFields: [
    "client_secret",
    "client_rsa_private_key",
    "dpop.private_key",
    "session.secret",
    "session.redis.password",
  ],
  setup: authenticateAtProvider,
});
