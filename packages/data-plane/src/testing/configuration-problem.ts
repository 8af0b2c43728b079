import type { PluginDefinition } from "@fngate/plugin-kit";
import { checkPlugins } from "@fngate/schema";

/** What the Admin API says of the plugins of a resource, by name; nothing when it takes them. */
export function configurationProblem(definitions: readonly PluginDefinition[], plugins: unknown): string | undefined {
  const catalog = new Map(definitions.map((definition) => [definition.name, definition]));
  return checkPlugins(plugins, { catalog, which: "main" });
}
