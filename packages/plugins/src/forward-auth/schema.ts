import { z } from "zod";
import { requireProperties } from "../shared/required-fields.ts";

const names = z.array(z.string()).default([]);

/** Configuration of the plugin (APISIX: forward-auth). */
export const forwardAuthSchema = z.looseObject({
  uri: z.string().describe("Address of the service that decides."),
  request_method: z.enum(["GET", "POST"]).default("GET").describe("Method of the call; with `POST` it has the body."),
  request_headers: names.describe("Fields of the request that the service is told."),
  extra_headers: requireProperties(z.record(z.string().regex(/^[^:]+$/), z.string()))
    .optional()
    .describe("Further fields for the service; `$variables` are filled in."),
  upstream_headers: names.describe(
    "Fields that the request gets from an answer that lets it through; those that are not in it are removed.",
  ),
  client_headers: names.describe("Fields that the client gets from an answer that refuses the request."),
  max_req_body_size: z
    .int()
    .min(1)
    .default(67_108_864)
    .describe("Bytes of a body that are read for `POST`; a larger one gets status 413."),
  timeout: z.int().min(1).max(60_000).default(3000).describe("Milliseconds to wait for the answer."),
  ssl_verify: z.boolean().default(true).describe("Whether an `https` server's certificate is verified."),
  allow_degradation: z
    .boolean()
    .default(false)
    .describe("Whether requests are let through while the service cannot be asked."),
  status_on_error: z
    .int()
    .min(200)
    .max(599)
    .default(403)
    .describe("Status of the answer while the service cannot be asked."),
  keepalive: z.boolean().default(true).describe("Whether connections are kept for later calls."),
  keepalive_timeout: z.int().min(1000).default(60_000).describe("Taken and not needed: connections are shared."),
  keepalive_pool: z.int().min(1).default(5).describe("Taken and not needed, as `keepalive_timeout`."),
});

/** {@link forwardAuthSchema} with defaults filled in. */
export type ForwardAuthConfig = z.output<typeof forwardAuthSchema>;
