import { z } from "zod";
import { authFields, realmField } from "../shared/auth.ts";

/** Configuration of the plugin on a route, service or rule (APISIX: basic-auth). */
export const basicAuthSchema = z.looseObject({ realm: realmField("basic"), ...authFields });

/** {@link basicAuthSchema} with defaults filled in. */
export type BasicAuthConfig = z.output<typeof basicAuthSchema>;
