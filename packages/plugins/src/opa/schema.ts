import { z } from "zod";

/** Configuration of the plugin (APISIX: opa). */
export const opaSchema = z.looseObject({
  host: z.string().describe("Address of the OPA server: scheme, host and optional port."),
  policy: z.string().describe("Path of the rule below `/v1/data/`."),
  ssl_verify: z.boolean().default(true).describe("Whether an `https` server's certificate is verified."),
  timeout: z.int().min(1).max(60_000).default(3000).describe("Milliseconds to wait for the decision."),
  keepalive: z.boolean().default(true).describe("Whether connections are kept for later decisions."),
  keepalive_timeout: z.int().min(1000).default(60_000).describe("Taken and not needed: connections are shared."),
  keepalive_pool: z.int().min(1).default(5).describe("Taken and not needed, as `keepalive_timeout`."),
  send_headers_upstream: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Header fields that the request gets from an allowing decision; those it does not name are removed."),
  with_route: z.boolean().default(false).describe("Whether the decision is told which route matched."),
  with_service: z.boolean().default(false).describe("Whether it is told which service that belongs to."),
  with_consumer: z.boolean().default(false).describe("Whether it is told who calls."),
});

/** {@link opaSchema} with defaults filled in. */
export type OpaConfig = z.output<typeof opaSchema>;
