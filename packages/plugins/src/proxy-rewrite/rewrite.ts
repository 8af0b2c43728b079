import type { PluginInstance } from "@fngate/plugin-kit";
import { compileHeaders } from "./headers.ts";
import type { ProxyRewriteConfig } from "./schema.ts";
import { compileTarget } from "./target.ts";

/** Changes path, query, `Host`, fields and method of every request. */
export function rewriteRequests(config: ProxyRewriteConfig): PluginInstance {
  const rewriteTarget = compileTarget(config);
  const changeHeaders = compileHeaders(config.headers);
  const { host, method } = config;
  return {
    rewrite(context) {
      const { request, upstream } = context;
      if (host !== undefined) upstream.host = host;
      const { captures, target } = rewriteTarget(context);
      if (target !== undefined) {
        upstream.path = target.path;
        upstream.query = target.query;
      }
      changeHeaders(context, captures);
      if (method !== undefined) request.method = method;
      return undefined;
    },
  };
}
