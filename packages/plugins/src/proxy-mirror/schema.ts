import { z } from "zod";

/** Scheme, host and optional port; no path. */
const HOST = /^(http(s)?|grpc(s)?):\/\/([\da-zA-Z.-]+|\[[\da-fA-F:]+\])(:\d+)?$/;

/** Configuration of the plugin (APISIX: proxy-mirror). */
export const proxyMirrorSchema = z.looseObject({
  host: z
    .string()
    .regex(HOST)
    .describe(
      "Where copies go: `http` or `https`, host and optional port. `grpc` and `grpcs` are taken and not mirrored.",
    ),
  path: z
    .string()
    .regex(/^\/[^?&]+$/)
    .optional()
    .describe("Path of the copies; absent: that of the request."),
  path_concat_mode: z
    .enum(["replace", "prefix"])
    .default("replace")
    .describe("Whether `path` replaces the request's path or comes before it."),
  sample_ratio: z.number().min(0.00001).max(1).default(1).describe("Share of the requests that are copied."),
});

/** {@link proxyMirrorSchema} with defaults filled in. */
export type ProxyMirrorConfig = z.output<typeof proxyMirrorSchema>;
