import { definePlugin } from "@fngate/plugin-kit";
import { actionsProblem, workflowSchema } from "./schema.ts";
import { Workflow } from "./workflow.ts";

/** Answers or limits requests by condition (APISIX: workflow). */
export const workflow = definePlugin({
  name: "workflow",
  version: 0.1,
  priority: 1006,
  schema: workflowSchema,
  checkNested: actionsProblem,
  setup: (config, deps) => new Workflow(config, deps),
});
