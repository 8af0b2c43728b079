import { z } from "zod";
import { authFields, realmField } from "../shared/auth.ts";

/** Configuration of the plugin on a route, service or rule (APISIX: key-auth). */
export const keyAuthSchema = z.looseObject({
  header: z.string().default("apikey").describe("Field of the request that carries the key."),
  query: z.string().default("apikey").describe("Argument that carries the key when the field is absent."),
  realm: realmField("key"),
  ...authFields,
});

/** {@link keyAuthSchema} with defaults filled in. */
export type KeyAuthConfig = z.output<typeof keyAuthSchema>;
