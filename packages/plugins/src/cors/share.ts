import type { PluginDeps, PluginInstance, Reply, RequestContext, ResponseContext } from "@fngate/plugin-kit";
import { compileAllowOrigin } from "./headers.ts";
import { type CorsMetadata, MetadataOrigins } from "./metadata.ts";
import { compileOriginPatterns, compileOrigins, type OriginRule } from "./origins.ts";
import type { CorsConfig } from "./schema.ts";

/** Every `OPTIONS` request counts as a preflight, with `Origin` or without (APISIX: cors). */
const PREFLIGHT: Reply = { kind: "reply", status: 200 };

/** Answers preflights, and lets answers be read by the origins that are allowed. */
export function shareWithOrigins(config: CorsConfig, deps: PluginDeps<unknown, CorsMetadata>): PluginInstance {
  const ruleOf = compileRule(config, deps);
  const timingOf = compileTiming(config);
  const allow = compileAllowOrigin(config);
  const isAnswerTheSameForAll = config.allow_origins === "*";
  // As the client sent it: plugins after this one may change the field.
  const origins = new WeakMap<RequestContext, string>();
  return {
    rewrite(context) {
      const origin = context.request.headers.get("origin");
      if (origin !== undefined) origins.set(context, origin);
      return context.request.method === "OPTIONS" ? PREFLIGHT : undefined;
    },
    headerFilter(context: ResponseContext): undefined {
      const origin = origins.get(context);
      const { headers } = context.response;
      if (!isAnswerTheSameForAll) headers.append("Vary", "Origin");
      const allowed = ruleOf(origin);
      if (allowed !== undefined) allow(headers, allowed, context.request.headers.get("access-control-request-headers"));
      const timed = timingOf(origin);
      if (timed !== undefined) headers.set("Timing-Allow-Origin", timed);
    },
  };
}

/** Named origins come first and make the default `*` of `allow_origins` ineffective; patterns replace `allow_origins`. */
function compileRule(config: CorsConfig, deps: PluginDeps<unknown, CorsMetadata>): OriginRule {
  const { allow_origins: origins, allow_origins_by_metadata: names, allow_origins_by_regex: patterns } = config;
  const own = patterns === undefined ? compileOrigins(origins) : compileOriginPatterns(patterns);
  if (names === undefined) return own;
  const named = new MetadataOrigins(names, () => deps.metadata.current);
  if (origins === "*") return (origin) => named.match(origin);
  return (origin) => named.match(origin) ?? own(origin);
}

function compileTiming(config: CorsConfig): OriginRule {
  const { timing_allow_origins: origins, timing_allow_origins_by_regex: patterns } = config;
  if (patterns !== undefined) return compileOriginPatterns(patterns);
  return origins === undefined ? () => undefined : compileOrigins(origins);
}
