import { z } from "zod";
import { authFields, realmField } from "../shared/auth.ts";

const algorithm = z.enum(["hmac-sha1", "hmac-sha256", "hmac-sha512"]);

/** How a request may be signed. */
export type HmacAlgorithm = z.output<typeof algorithm>;

/** Configuration of the plugin on a route, service or rule (APISIX: hmac-auth). */
export const hmacAuthSchema = z.looseObject({
  allowed_algorithms: z
    .array(algorithm)
    .min(1)
    .default(["hmac-sha1", "hmac-sha256", "hmac-sha512"])
    .describe("Algorithms that requests may be signed with."),
  clock_skew: z
    .int()
    .min(1)
    .default(300)
    .describe("Seconds by which the `Date` of a request may differ from the gateway's time."),
  signed_headers: z
    .array(z.string().min(1).max(50))
    .default(["date"])
    .describe("Fields that a signature has to cover, named as the client names them."),
  validate_request_body: z
    .boolean()
    .default(false)
    .describe("Whether the body has to fit the field `Digest`, which `signed_headers` should then name too."),
  max_req_body_size: z
    .int()
    .min(1)
    .default(67_108_864)
    .describe("Bytes of a body that are read for `validate_request_body`; a larger one gets status 413."),
  realm: realmField("hmac"),
  ...authFields,
});

/** {@link hmacAuthSchema} with defaults filled in. */
export type HmacAuthConfig = z.output<typeof hmacAuthSchema>;
