import { z } from "zod";
import { authFields, realmField } from "../shared/auth.ts";
import { uniqueList } from "../shared/unique-list.ts";

/** Configuration of the plugin on a route, service or rule (APISIX: jwt-auth). */
export const jwtAuthSchema = z.looseObject({
  header: z.string().default("authorization").describe("Field that carries the token, after `Bearer ` or alone."),
  query: z.string().default("jwt").describe("Argument that carries the token when the field is absent."),
  cookie: z.string().default("jwt").describe("Cookie that carries the token when both are absent."),
  key_claim_name: z.string().min(1).default("key").describe("Claim that holds the `key` of the consumer."),
  store_in_ctx: z
    .boolean()
    .default(false)
    .describe("Whether other plugins find the claims in the variable `jwt_auth_payload`."),
  realm: realmField("jwt"),
  claims_to_verify: uniqueList(z.enum(["exp", "nbf"]))
    .optional()
    .describe("Claims that have to be there: `exp`, `nbf`; those that are there are always checked."),
  ...authFields,
});

/** {@link jwtAuthSchema} with defaults filled in. */
export type JwtAuthConfig = z.output<typeof jwtAuthSchema>;
