import { z } from "zod";

/** Configuration that every function plugin has beside its credentials (APISIX: generic-upstream). Wire names. */
export const functionFields = {
  function_uri: z
    .string()
    .describe(
      "Address of the function: `http` or `https`, host, optional port and path. Query and fragment are ignored. Any text is accepted; one that is no such address makes each call fail with status 503.",
    ),
  ssl_verify: z.boolean().default(true).describe("Whether an `https` function's certificate is verified."),
  timeout: z
    .int()
    .min(100)
    .default(3000)
    .describe("Milliseconds of inactivity after which connecting, sending or waiting for data is given up."),
  keepalive: z.boolean().default(true).describe("Whether connections are kept for later calls."),
  keepalive_timeout: z
    .int()
    .min(1000)
    .default(60_000)
    .describe("Milliseconds a connection may idle before it is closed."),
  keepalive_pool: z.int().min(1).default(5).describe("Idle connections kept; connections in use are not limited."),
  max_req_body_size: z
    .int()
    .min(1)
    .default(67_108_864)
    .describe("Largest request body in bytes; a larger one is answered with status 400."),
};

/** {@link functionFields} with defaults filled in. */
export interface FunctionConfig {
  readonly function_uri: string;
  readonly ssl_verify: boolean;
  readonly timeout: number;
  readonly keepalive: boolean;
  readonly keepalive_timeout: number;
  readonly keepalive_pool: number;
  readonly max_req_body_size: number;
}
