import type { MatchedRoute } from "@fngate/plugin-kit";
import type { CompiledUpstream } from "@fngate/proxy";
import type { Match } from "@fngate/router";
import type { MergedPlugins } from "../compile/consumer-overlays.ts";
import { NO_PLUGINS } from "../compile/effective-plugins.ts";
import type { Held } from "../compile/held.ts";
import {
  type CompiledRoute,
  type CompiledService,
  objectKey,
  type RouteTimeout,
  type Snapshot,
} from "../compile/snapshot.ts";
import { AS_STORED, type UpstreamHandle } from "../compile/upstream-handle.ts";
import { UNREADABLE_CERTIFICATE } from "../compile/upstreams.ts";
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
  readonly upstream: CompiledUpstream | number;
  /** The route's, in place of that of an upstream which a plugin chooses. */
  readonly timeout: RouteTimeout | undefined;
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
    timeout: undefined,
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
    timeout: route.timeout,
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

/**
 * An upstream as a request calls it: under the route's `timeout`, and with its client certificate; 502 where that is
 * missing or a server's, 503 where it cannot be read (APISIX upstream, failure answers).
 */
export function asCalled(
  upstream: UpstreamHandle | number,
  timeout: RouteTimeout | undefined,
  { diagnostics, tables }: Snapshot,
): CompiledUpstream | number {
  if (typeof upstream === "number") return upstream;
  const { certificateId } = upstream;
  if (certificateId === undefined && timeout === undefined) return upstream.in(AS_STORED);
  if (certificateId === undefined) return upstream.in({ timeout, certificate: undefined });
  const ssl = tables.ssl.get(certificateId);
  if (ssl === undefined && diagnostics.has(objectKey("ssl", certificateId))) return UNREADABLE_CERTIFICATE;
  const certificate = ssl?.type === "client" ? ssl.pairs[0] : undefined;
  return certificate === undefined ? 502 : upstream.in({ timeout, certificate });
}

interface ResolvedUpstream {
  readonly value: CompiledUpstream | number;
  readonly held: Held | undefined;
}

/** The route's choice, else the service's; inside one object the id wins. The route's own `timeout` covers both. */
function resolveUpstream(
  snapshot: Snapshot,
  route: CompiledRoute,
  service: CompiledService | undefined,
): ResolvedUpstream {
  const found = resolveChoice(snapshot, route) ?? (service && resolveChoice(snapshot, service)) ?? NO_UPSTREAM;
  return { value: asCalled(found.value, found.isOwn ? undefined : route.timeout, snapshot), held: found.held };
}

interface FoundUpstream {
  readonly value: UpstreamHandle | number;
  readonly held: Held | undefined;
  /** Stored in the route itself. */
  readonly isOwn: boolean;
}

const NO_UPSTREAM: FoundUpstream = { value: 503, held: undefined, isOwn: false };
const UNKNOWN_UPSTREAM: FoundUpstream = { value: 502, held: undefined, isOwn: false };

function resolveChoice(snapshot: Snapshot, choice: CompiledRoute | CompiledService): FoundUpstream | undefined {
  if (choice.upstreamId !== undefined) {
    const named = snapshot.tables.upstream.get(choice.upstreamId);
    return named === undefined ? UNKNOWN_UPSTREAM : { value: named.upstream, held: named.held, isOwn: false };
  }
  if (choice.upstream === undefined) return undefined;
  return { value: choice.upstream, held: undefined, isOwn: "selector" in choice };
}
