import type { PluginDeps, PluginInstance, RequestContext } from "@fngate/plugin-kit";
import { compileHttpsLocation, compileLocation, type LocationOf } from "./location.ts";
import type { RedirectConfig } from "./schema.ts";

/** Sends clients elsewhere; a request that no rule covers goes on. */
export function redirectClients(config: RedirectConfig, { attributes }: PluginDeps): PluginInstance {
  if (config.http_to_https !== undefined) {
    return config.http_to_https ? toHttps(compileHttpsLocation(attributes["https_port"])) : {};
  }
  const locationOf = compileLocation(config);
  const { ret_code: status } = config;
  return {
    rewrite(context) {
      const location = locationOf(context);
      return location === undefined ? undefined : { kind: "reply", status, headers: ["Location", location] };
    },
  };
}

function toHttps(locationOf: LocationOf): PluginInstance {
  return {
    rewrite(context) {
      if (schemeOf(context) === "https") return undefined;
      const { method } = context.request;
      // 308 keeps the method where 301 may not (RFC 9110, 15.4).
      const status = method === "GET" || method === "HEAD" ? 301 : 308;
      return { kind: "reply", status, headers: ["Location", locationOf(context) ?? ""] };
    },
  };
}

/** What a proxy in front of the gateway says counts more than the connection to it. */
function schemeOf({ request }: RequestContext): string {
  return request.headers.get("x-forwarded-proto") ?? request.scheme;
}
