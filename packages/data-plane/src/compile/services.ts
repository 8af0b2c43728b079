import { registry } from "@fngate/schema";
import { luaRefusal } from "./lua-refusal.ts";
import { buildObject, type ObjectStage } from "./object-stage.ts";
import type { CompiledObject, CompiledService, CompiledUpstream } from "./snapshot.ts";
import { readResource, type StoredValue } from "./stored-object.ts";
import { chooseUpstream, compileUpstreamStage } from "./upstreams.ts";

/** Compiles a service. */
export function compileService(id: string, stored: StoredValue, stage: ObjectStage): CompiledService | undefined {
  const service = readResource(registry.byKind("service"), stored, stage);
  if (service === undefined) return undefined;
  if (service.script !== undefined) {
    return stage.findings.error("UNSUPPORTED_FIELD", "script", luaRefusal("script", "service"));
  }
  const upstream = chooseUpstream(service, undefined, stage);
  return buildObject({ id, plugins: service.plugins, upstream: upstream.upstream }, stage, (object) => ({
    ...object,
    ...upstream,
    name: service.name,
    hosts: (service.hosts ?? []).map((host) => host.toLowerCase()),
    isWebsocketEnabled: service.enable_websocket,
  }));
}

/** Compiles a named upstream. */
export function compileNamedUpstream(
  id: string,
  stored: StoredValue,
  stage: ObjectStage,
): CompiledUpstream | undefined {
  const resource = readResource(registry.byKind("upstream"), stored, stage);
  if (resource === undefined) return undefined;
  const upstream = compileUpstreamStage(resource, stage);
  return buildObject({ id, plugins: undefined, upstream }, stage, (object) => ({
    ...object,
    upstream,
  }));
}

/** Compiles a plugin config. */
export function compilePluginConfig(id: string, stored: StoredValue, stage: ObjectStage): CompiledObject | undefined {
  const resource = readResource(registry.byKind("plugin_config"), stored, stage);
  return resource && buildObject({ id, plugins: resource.plugins }, stage, (object) => object);
}

/** Compiles a global rule. */
export function compileGlobalRule(id: string, stored: StoredValue, stage: ObjectStage): CompiledObject | undefined {
  const resource = readResource(registry.byKind("global_rule"), stored, stage);
  return resource && buildObject({ id, plugins: resource.plugins }, stage, (object) => object);
}
