import { definePlugin } from "@fngate/plugin-kit";
import { authenticateByDirectory } from "./authenticate.ts";
import { ldapAuthConsumerSchema } from "./consumer-schema.ts";
import { ldapAuthSchema } from "./schema.ts";

/** Lets those in whom an LDAP server lets in (APISIX: ldap-auth; RFC 4513). */
export const ldapAuth = definePlugin({
  name: "ldap-auth",
  version: 0.1,
  priority: 2540,
  type: "auth",
  schema: ldapAuthSchema,
  consumerSchema: ldapAuthConsumerSchema,
  identityField: "user_dn",
  setup: authenticateByDirectory,
});
