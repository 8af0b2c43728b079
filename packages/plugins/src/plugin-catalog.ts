import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import { builtinPlugins } from "./catalog.ts";

/**
 * The plugins a process knows: all built-in ones, or those of `enabledNames` (APISIX: the `plugins` list, which
 * replaces the default one). Names that no built-in plugin has are passed over.
 */
export function createCatalog(enabledNames?: readonly string[]): PluginCatalog {
  const isEnabled = ({ name }: PluginDefinition) => enabledNames === undefined || enabledNames.includes(name);
  const plugins = builtinPlugins.filter(isEnabled).toSorted((a, b) => b.priority - a.priority);
  const byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  return { get: (name) => byName.get(name), all: () => plugins };
}
