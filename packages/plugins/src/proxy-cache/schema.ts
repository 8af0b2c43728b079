import { z } from "zod";
import { uniqueList } from "../shared/unique-list.ts";

/** A text, or a variable with its dollar sign. */
const PART = /(^[^$].+$|^\$[0-9a-zA-Z_]+$)/;

const parts = () => z.array(z.string().regex(PART)).min(1);

/** Configuration of the plugin (APISIX: proxy-cache). */
export const proxyCacheSchema = z
  .looseObject({
    cache_strategy: z.enum(["disk", "memory"]).default("disk").describe("Where answers are kept."),
    cache_zone: z
      .string()
      .min(1)
      .max(100)
      .default("disk_cache_one")
      .describe("Zone of `apisix.proxy_cache.zones` in `config.yaml` that answers are kept in."),
    cache_key: parts()
      .default(["$host", "$request_uri"])
      .describe("What makes requests the same: texts and `$variables`, joined. `$request_method` is refused."),
    cache_http_status: uniqueList(z.int().min(200).max(599), { min: 1 })
      .default([200, 301, 404])
      .describe("Statuses of answers that are kept."),
    cache_method: uniqueList(z.enum(["GET", "POST", "HEAD"]), { min: 1 })
      .default(["GET", "HEAD"])
      .describe("Methods of requests that kept answers are for."),
    cache_ttl: z
      .int()
      .min(1)
      .default(300)
      .describe("Seconds an answer is kept in memory; on disk its own fields decide, else the zones' `cache_ttl`."),
    cache_control: z
      .boolean()
      .default(false)
      .describe("Whether `Cache-Control` of requests counts, and that and `Expires` of answers decide how long."),
    cache_bypass: parts()
      .optional()
      .describe("Texts and `$variables`; when the joined text is neither empty nor `0`, the upstream is asked."),
    no_cache: parts().optional().describe("The same; the answer is not kept then."),
    hide_cache_headers: z
      .boolean()
      .default(false)
      .describe("Whether `Cache-Control` and `Expires` are kept from clients."),
    consumer_isolation: z
      .boolean()
      .default(true)
      .describe("Whether each consumer has answers of its own, unless `cache_key` tells them apart already."),
    cache_set_cookie: z
      .boolean()
      .default(false)
      .describe("Whether answers with `Set-Cookie` are kept in memory; on disk they never are."),
    max_resp_body_size: z
      .int()
      .min(1)
      .default(67_108_864)
      .describe("Largest body in bytes that is kept; larger ones pass."),
  })
  .superRefine(({ cache_key }, context) => {
    if (!cache_key.includes("$request_method")) return;
    context.addIssue({ code: "custom", message: "cache_key variable $request_method unsupported" });
  });

/** {@link proxyCacheSchema} with defaults filled in. */
export type ProxyCacheConfig = z.output<typeof proxyCacheSchema>;
