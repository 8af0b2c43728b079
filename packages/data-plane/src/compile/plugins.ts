import { isGatewayError, messageOf } from "@fngate/kernel";
import type { PluginDefinition, PluginInstance } from "@fngate/plugin-kit";
import { type CompiledExpression, compileExpression } from "@fngate/router/expr";
import { decryptFields, parsePluginConf } from "@fngate/schema";
import { namesBodyVariable } from "../http/body-variables.ts";
import type { CompileDeps } from "./compile-deps.ts";
import type { Findings } from "./findings.ts";
import { applyMeta } from "./plugin-meta.ts";
import { resolveReferences } from "./resolve-references.ts";
import type { ObjectPlugin } from "./snapshot.ts";

type StoredPlugins = Readonly<Record<string, unknown>>;

/**
 * Sets up an object's plugins. Unknown ones are left out with a warning; a configuration that its plugin refuses
 * makes the whole object unusable (nothing is returned), unless it is disabled (APISIX routing, invalid objects).
 */
export function compilePlugins(
  stored: StoredPlugins | undefined,
  deps: CompileDeps,
  findings: Findings,
): readonly ObjectPlugin[] | undefined {
  if (stored === undefined) return NO_PLUGINS;
  const compiled: ObjectPlugin[] = [];
  for (const [name, config] of Object.entries(stored)) {
    const definition = deps.catalog.get(name);
    if (definition === undefined) {
      findings.warn("UNKNOWN_PLUGIN", `plugins.${name}`, `unknown plugin [${name}] is skipped`);
      continue;
    }
    const plugin = compilePlugin(definition, config, { deps, findings });
    if (plugin === undefined) {
      disposePlugins(compiled);
      return undefined;
    }
    compiled.push(plugin);
  }
  return compiled;
}

const NO_PLUGINS: readonly ObjectPlugin[] = Object.freeze([]);

/** Gives back what the plugins of an object took; never throws. */
export function disposePlugins(plugins: readonly ObjectPlugin[]): void {
  for (const plugin of plugins) plugin.dispose?.();
}

/** What setting up one plugin works with. */
export interface PluginStage {
  readonly deps: CompileDeps;
  readonly findings: Findings;
}

/** Sets up one plugin; nothing when it refuses its configuration, which is in the findings then. */
export function compilePlugin(
  definition: PluginDefinition,
  stored: unknown,
  stage: PluginStage,
): ObjectPlugin | undefined {
  const { name } = definition;
  const { deps, findings } = stage;
  const path = `plugins.${name}`;
  const plain = decryptFields(stored, definition.secretFields ?? [], deps.keyring);
  // Switched off here, it hides the plugin at lower levels, sound or not (APISIX: `_meta.disable`).
  if (isSwitchedOff(plain)) return { name, priority: definition.priority, isDisabled: true, instance: {} };
  const resolved = resolveReferences(plain, path, { environment: deps.environment, secrets: deps.secrets, findings });
  if (findings.list.some(({ code }) => code === "AWAITED_SECRET")) return undefined;
  const parsed = parsePluginConf(definition, resolved);
  if (!parsed.ok) {
    const message = `failed to check the configuration of plugin ${name}: ${parsed.message}`;
    return findings.error("INVALID_PLUGIN", path, message);
  }
  const { config, meta } = parsed.value;
  const instance = setUp(definition, config, stage);
  if (instance === undefined) return undefined;
  if (meta.pre_function !== undefined) {
    findings.warn("UNSUPPORTED_FIELD", `${path}._meta.pre_function`, "Lua is not run: pre_function is ignored");
  }
  const shaped = applyMeta(instance, {
    errorResponse: meta.error_response,
    filter: readFilter(meta.filter, path, findings),
    isBodyFiltered: namesBodyVariable(meta.filter),
  });
  const priority = meta.priority ?? definition.priority;
  const prefersRoute = definition.runPolicy === "prefer_route";
  return {
    ...{ name, priority, isDisabled: false, instance: shaped },
    ...(prefersRoute && { prefersRoute }),
    ...(instance.dispose && { dispose: () => tryToDispose(name, instance, deps) }),
  };
}

/** Whatever goes wrong in one plugin must neither keep others from ending nor stop the following of the store. */
function tryToDispose(plugin: string, instance: PluginInstance, deps: CompileDeps): void {
  try {
    instance.dispose?.();
  } catch (error) {
    deps.portsOf(plugin).logger.error({ plugin, reason: messageOf(error) }, "a plugin cannot give back what it took");
  }
}

function isSwitchedOff(config: unknown): boolean {
  if (typeof config !== "object" || config === null || !("_meta" in config)) return false;
  const { _meta: meta } = config;
  return typeof meta === "object" && meta !== null && "disable" in meta && meta.disable === true;
}

function setUp(
  definition: PluginDefinition,
  config: unknown,
  { deps, findings }: PluginStage,
): PluginInstance | undefined {
  try {
    return definition.setup(config, { ...deps.portsOf(definition.name), owner: findings.owner });
  } catch (error) {
    const path = `plugins.${definition.name}`;
    if (isGatewayError(error) && error.code === "PLUGIN_UNSUPPORTED") {
      return findings.error("UNSUPPORTED_FIELD", `${path}.${String(error.details["field"])}`, messageOf(error));
    }
    const message = `plugin ${definition.name} cannot be set up: ${messageOf(error)}`;
    return findings.error("INVALID_PLUGIN", path, message);
  }
}

/** A filter that cannot be compiled counts as true (APISIX: `_meta.filter`). */
function readFilter(stored: unknown, path: string, findings: Findings): CompiledExpression | undefined {
  if (!Array.isArray(stored) || stored.length === 0) return undefined;
  try {
    return compileExpression(stored);
  } catch (error) {
    findings.warn("INVALID_PLUGIN", `${path}._meta.filter`, `filter is ignored: ${messageOf(error)}`);
    return undefined;
  }
}
