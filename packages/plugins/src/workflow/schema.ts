import { z } from "zod";
import { limitConnSchema } from "../limit-conn/schema.ts";
import { limitCountSchema } from "../limit-count/schema.ts";

/** Plugins that may be actions. */
export const ACTION_PLUGINS = { "limit-count": limitCountSchema, "limit-conn": limitConnSchema } as const;

/** Name of an action that is a plugin. */
export type ActionPlugin = keyof typeof ACTION_PLUGINS;

const returnSchema = z.looseObject({ code: z.int().min(100).max(599) });

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
export const workflowSchema = z
  .looseObject({ rules: z.array(rule).describe("The first rule that applies decides.") })
  .superRefine(({ rules }, context) => {
    const problem = rules
      .flatMap(({ actions }) => actions)
      .map(actionProblem)
      .find((found) => found !== undefined);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/** {@link workflowSchema} as parsed. */
export type WorkflowConfig = z.output<typeof workflowSchema>;

/** Tells whether an action is a plugin. */
export function isActionPlugin(name: unknown): name is ActionPlugin {
  return typeof name === "string" && Object.hasOwn(ACTION_PLUGINS, name);
}

/** The status of a `return` action. */
export function statusOf(config: unknown): number {
  return returnSchema.parse(config).code;
}

function actionProblem([name, config]: readonly unknown[]): string | undefined {
  const schema = name === "return" ? returnSchema : isActionPlugin(name) ? ACTION_PLUGINS[name] : undefined;
  if (schema === undefined) return `unsupported action: ${String(name)}`;
  const problem = schema.safeParse(config).error?.issues[0];
  if (problem === undefined) {
    const isGrouped = name === "limit-count" && Object(config).group !== undefined;
    return isGrouped ? "failed to validate the 'limit-count' action: group is not supported" : undefined;
  }
  return `failed to validate the '${String(name)}' action: ${textOf(problem, config)}`;
}

/** A finding about an action, in APISIX's words where a property is absent. */
function textOf(issue: z.core.$ZodIssue, config: unknown): string {
  const [property] = issue.path;
  if (property === undefined) return issue.message;
  if (issue.path.length === 1 && !Object.hasOwn(Object(config), property)) {
    return `property "${String(property)}" is required`;
  }
  return `property "${issue.path.map(String).join(".")}" validation failed: ${issue.message}`;
}
