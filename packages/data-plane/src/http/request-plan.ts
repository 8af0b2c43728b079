import type { MatchedRoute } from "@fngate/plugin-kit";
import type { Match } from "@fngate/router";
import type { MergedPlugins } from "../compile/consumer-overlays.ts";
import { NO_PLUGINS } from "../compile/effective-plugins.ts";
import type { Held } from "../compile/held.ts";
import type { CompiledRoute, CompiledService, Snapshot, UpstreamChoice } from "../compile/snapshot.ts";
import type { UpstreamHandle } from "../compile/upstreams.ts";
import type { ResponseFilters } from "./downstream.ts";

/**
 * What a request will do, resolved once from one snapshot: nothing is looked up in the configuration after this.
 */
export interface RequestPlan {
  readonly route: MatchedRoute | undefined;
  /** What runs; the route's part changes once it is known who calls. */
  readonly filters: ResponseFilters;
  /** The route's plugins before that. */
  readonly base: MergedPlugins;
  /** Status that ends the request before any plugin: something the route needs is missing. */
  readonly refusal: number | undefined;
  /** Where it goes if no plugin answers; a status where there is nowhere to go. */
  readonly upstream: UpstreamHandle | number;
  readonly isWebsocketEnabled: boolean;
  /** Keeps what the plan uses alive until {@link releasePlan}. */
  readonly held: readonly Held[];
}

/** Resolves a match against the snapshot it came from and takes hold of what it uses. */
export function planRequest(snapshot: Snapshot, match: Match<CompiledRoute> | undefined): RequestPlan {
  const plan = match === undefined ? planUnmatched(snapshot) : planMatched(snapshot, match);
  for (const held of plan.held) held.acquire();
  return plan;
}

/** Lets go of what {@link planRequest} took; call it once, when the request is over. */
export function releasePlan(plan: RequestPlan): void {
  for (const held of plan.held) held.release();
}

/** Whether the matched route, or else its service, lets WebSockets through. */
export function isWebsocketRoute(snapshot: Snapshot, route: CompiledRoute): boolean {
  const service = route.serviceId === undefined ? undefined : snapshot.tables.service.get(route.serviceId);
  return route.isWebsocketEnabled ?? service?.isWebsocketEnabled ?? false;
}

function planUnmatched(snapshot: Snapshot): RequestPlan {
  return {
    route: undefined,
    filters: { global: snapshot.globalPlugins.pipeline, route: NO_PLUGINS.pipeline },
    base: NO_PLUGINS,
    refusal: undefined,
    upstream: 404,
    isWebsocketEnabled: false,
    held: snapshot.globalHeld,
  };
}

function planMatched(snapshot: Snapshot, match: Match<CompiledRoute>): RequestPlan {
  const route = match.value;
  const { tables } = snapshot;
  const service = route.serviceId === undefined ? undefined : tables.service.get(route.serviceId);
  const pluginConfig = route.pluginConfigId === undefined ? undefined : tables.plugin_config.get(route.pluginConfigId);
  const upstream = resolveUpstream(snapshot, route, service);
  const base = route.effective.with(pluginConfig, service);
  const held: Held[] = [...snapshot.globalHeld, route.held];
  if (service !== undefined) held.push(service.held);
  if (pluginConfig !== undefined) held.push(pluginConfig.held);
  if (upstream.held !== undefined) held.push(upstream.held);
  return {
    route: {
      id: route.id,
      name: route.name,
      serviceId: route.serviceId,
      serviceName: service?.name,
      uri: match.uri,
      host: match.host,
      remainder: match.remainder,
      params: match.params,
    },
    filters: { global: snapshot.globalPlugins.beside(base), route: base.pipeline },
    base,
    refusal: refusalOf(route, pluginConfig !== undefined, service !== undefined),
    upstream: upstream.value,
    isWebsocketEnabled: route.isWebsocketEnabled ?? service?.isWebsocketEnabled ?? false,
    held,
  };
}

/** A missing plugin config is noticed first: 503; a missing service: 404 (APISIX routing, after the match). */
function refusalOf(route: CompiledRoute, hasPluginConfig: boolean, hasService: boolean): number | undefined {
  if (route.pluginConfigId !== undefined && !hasPluginConfig) return 503;
  if (route.serviceId !== undefined && !hasService) return 404;
  return undefined;
}

interface ResolvedUpstream {
  readonly value: UpstreamHandle | number;
  readonly held: Held | undefined;
}

const NO_UPSTREAM: ResolvedUpstream = { value: 503, held: undefined };
const UNKNOWN_UPSTREAM: ResolvedUpstream = { value: 502, held: undefined };

/** The route's choice, else the service's; inside one object the id wins. The route's own `timeout` covers both. */
function resolveUpstream(
  snapshot: Snapshot,
  route: CompiledRoute,
  service: CompiledService | undefined,
): ResolvedUpstream {
  if (route.upstreamId === undefined && route.upstream !== undefined) return { value: route.upstream, held: undefined };
  const found = resolveChoice(snapshot, route) ?? (service && resolveChoice(snapshot, service)) ?? NO_UPSTREAM;
  if (route.timed === undefined || typeof found.value === "number") return found;
  return { value: route.timed.of(found.value), held: found.held };
}

function resolveChoice(snapshot: Snapshot, choice: UpstreamChoice): ResolvedUpstream | undefined {
  if (choice.upstreamId !== undefined) {
    const named = snapshot.tables.upstream.get(choice.upstreamId);
    return named === undefined ? UNKNOWN_UPSTREAM : { value: named.upstream, held: named.held };
  }
  return choice.upstream === undefined ? undefined : { value: choice.upstream, held: undefined };
}
