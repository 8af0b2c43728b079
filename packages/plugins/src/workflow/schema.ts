import type { NestedCheck } from "@fngate/plugin-kit";
import { z } from "zod";

/** Plugins that may be actions. */
const ACTION_PLUGINS = ["limit-count", "limit-conn"] as const;

type ActionPlugin = (typeof ACTION_PLUGINS)[number];

const returnSchema = z.looseObject({ code: z.int().min(100).max(599) });

/** Configuration of the action `return`. */
export type ReturnConfig = z.output<typeof returnSchema>;

const rule = z.looseObject({
  case: z
    .array(z.union([z.array(z.unknown()), z.string()]))
    .min(1)
    .optional()
    .describe("Expression that has to hold; absent: the rule always applies."),
  actions: z
    .array(z.array(z.unknown()).min(1))
    .describe("What happens, as `[name, configuration]`; only the first one counts."),
});

/** Configuration of the plugin (APISIX: workflow). */
export const workflowSchema = z.looseObject({ rules: z.array(rule).describe("The first rule that applies decides.") });

/** {@link workflowSchema} as parsed. */
export type WorkflowConfig = z.output<typeof workflowSchema>;

/** Tells whether an action is a plugin. */
export function isActionPlugin(name: unknown): name is ActionPlugin {
  return ACTION_PLUGINS.some((plugin) => plugin === name);
}

/** What is wrong with the first unsound action, in APISIX's words. */
export function actionsProblem({ rules }: WorkflowConfig, plugins: NestedCheck): string | undefined {
  for (const [name, config] of rules.flatMap(({ actions }) => actions)) {
    const isPlugin = isActionPlugin(name) && plugins.find(name) !== undefined;
    if (!isPlugin && name !== "return") return `unsupported action: ${String(name)}`;
    const problem = isPlugin ? pluginProblem(name, config, plugins) : plugins.problemIn(returnSchema, config);
    if (problem !== undefined) return `failed to validate the '${name}' action: ${problem}`;
  }
  return undefined;
}

/** A group shares counters among routes; an action's are those of its rule. */
function pluginProblem(name: ActionPlugin, config: unknown, plugins: NestedCheck): string | undefined {
  const isGrouped = name === "limit-count" && Object(config).group !== undefined;
  return plugins.problemOf(name, config) ?? (isGrouped ? "group is not supported" : undefined);
}
