import type { NestedCheck } from "@fngate/plugin-kit";
import { z } from "zod";

/** Configuration of the plugin (APISIX: multi-auth). */
export const multiAuthSchema = z.looseObject({
  auth_plugins: z
    .array(z.record(z.string(), z.unknown()))
    .min(2)
    .describe("Authentication plugins by name, with their configurations, in the order in which they are tried."),
});

/** {@link multiAuthSchema} as parsed. */
export type MultiAuthConfig = z.output<typeof multiAuthSchema>;

/** The alternatives in order. */
export function alternativesOf({ auth_plugins: plugins }: MultiAuthConfig): readonly (readonly [string, unknown])[] {
  return plugins.flatMap((alternative) => Object.entries(alternative));
}

/** What is wrong with the first unsound alternative, in APISIX's words. */
export function alternativesProblem(config: MultiAuthConfig, plugins: NestedCheck): string | undefined {
  for (const [name, own] of alternativesOf(config)) {
    const plugin = plugins.find(name);
    if (plugin === undefined) return `${name} plugin did not found`;
    if (!plugin.isAuth) return `${name} plugin is not supported`;
    const problem = plugins.problemOf(name, own);
    if (problem !== undefined) return `plugin ${name} check schema failed: ${problem}`;
  }
  return undefined;
}
