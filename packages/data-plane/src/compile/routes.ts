import { messageOf } from "@fngate/kernel";
import { checkRoute, type RouteSpec } from "@fngate/router";
import {
  type CompiledExpression,
  compileExpression,
  unreadablePaths,
  unsupportedPatterns,
  variableNames,
} from "@fngate/router/expr";
import { type Resource, registry } from "@fngate/schema";
import { isKnownToRoutes } from "../http/request-variables.ts";
import { EffectivePlugins } from "./effective-plugins.ts";
import { luaRefusal } from "./lua-refusal.ts";
import { buildObject, type ObjectStage } from "./object-stage.ts";
import type { CompiledRoute } from "./snapshot.ts";
import { readResource, type StoredValue } from "./stored-object.ts";
import { chooseUpstream } from "./upstreams.ts";

type StoredRoute = Resource<"route">;

/** Compiles a route on its own; what it refers to is resolved per request. */
export function compileRoute(id: string, stored: StoredValue, stage: ObjectStage): CompiledRoute | undefined {
  const route = readResource(registry.byKind("route"), stored, stage);
  if (route === undefined) return undefined;
  const selector = compileSelector(id, route, stage);
  if (selector === undefined) return undefined;
  const { timeout } = route;
  const { upstream, upstreamId } = chooseUpstream(route, timeout, stage);
  // Each field by name: there are many routes, and objects made by spreading others take more memory.
  return buildObject({ id, plugins: route.plugins, upstream }, stage, ({ held, plugins, entry }) => ({
    id,
    held,
    plugins,
    entry,
    upstreamId,
    upstream,
    name: route.name,
    serviceId: idOf(route.service_id),
    pluginConfigId: idOf(route.plugin_config_id),
    isWebsocketEnabled: route.enable_websocket,
    timeout,
    hosts: hostsOf(route),
    isEnabled: route.status !== 0,
    selector,
    effective: new EffectivePlugins(plugins),
  }));
}

/** What the router gets for a route, with its own hosts or those of its service. */
export function specOf(route: CompiledRoute, serviceHosts: readonly string[]): RouteSpec<CompiledRoute> {
  return { ...route.selector, hosts: route.hosts.length > 0 ? route.hosts : serviceHosts, value: route };
}

function compileSelector(
  id: string,
  route: StoredRoute,
  { findings }: ObjectStage,
): CompiledRoute["selector"] | undefined {
  // A filter that were ignored would widen the match: the whole route is refused instead.
  for (const field of ["filter_func", "script"] as const) {
    if (route[field] === undefined) continue;
    return findings.error("UNSUPPORTED_FIELD", field, luaRefusal(field, "route"));
  }
  const compiled = compileVars(route.vars, findings);
  if (compiled === undefined) return undefined;
  const { vars } = compiled;
  const selector = {
    id,
    uris: route.uris ?? (route.uri === undefined ? [] : [route.uri]),
    ...(route.methods === undefined ? {} : { methods: route.methods }),
    ...addressesOf(route),
    ...(vars === undefined ? {} : { vars }),
    priority: Number(route.priority),
  };
  try {
    checkRoute({ ...selector, hosts: hostsOf(route), value: undefined });
    return selector;
  } catch (error) {
    return findings.error("INVALID_OBJECT", "", messageOf(error));
  }
}

/** A route whose condition cannot be asked is refused; a pattern that cannot match is told. */
function compileVars(
  stored: unknown,
  findings: ObjectStage["findings"],
): { readonly vars: CompiledExpression | undefined } | undefined {
  if (stored === undefined) return { vars: undefined };
  try {
    const vars = compileExpression(stored);
    const [unreadable] = unreadablePaths(stored);
    if (unreadable !== undefined) {
      return findings.error("UNSUPPORTED_FIELD", "vars", `the path post_arg.${unreadable} cannot be read`);
    }
    for (const pattern of unsupportedPatterns(stored)) {
      findings.warn("UNSUPPORTED_FIELD", "vars", `the regular expression ${pattern} never matches`);
    }
    for (const name of new Set(variableNames(stored))) {
      if (isKnownToRoutes(name)) continue;
      findings.warn("UNSUPPORTED_FIELD", "vars", `the variable ${name} is never there when a route is looked for`);
    }
    return { vars };
  } catch (error) {
    return findings.error("INVALID_OBJECT", "vars", messageOf(error));
  }
}

function addressesOf(route: StoredRoute): { readonly remoteAddrs?: readonly string[] } {
  const addresses = route.remote_addrs ?? (route.remote_addr === undefined ? undefined : [route.remote_addr]);
  return addresses === undefined ? {} : { remoteAddrs: addresses };
}

function hostsOf(route: StoredRoute): readonly string[] {
  if (route.hosts !== undefined) return route.hosts.map((host) => host.toLowerCase());
  return route.host === undefined ? NO_HOSTS : [route.host.toLowerCase()];
}

const NO_HOSTS: readonly string[] = Object.freeze([]);

function idOf(id: string | number | undefined): string | undefined {
  return id === undefined ? undefined : String(id);
}
