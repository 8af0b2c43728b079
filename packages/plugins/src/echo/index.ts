import { definePlugin } from "@fngate/plugin-kit";
import { frameAnswers } from "./frame-answers.ts";
import { echoSchema } from "./schema.ts";

/** Puts texts around answers, or in place of them, to try a route out (APISIX: echo). */
export const echo = definePlugin({
  name: "echo",
  version: 0.1,
  priority: 412,
  schema: echoSchema,
  setup: frameAnswers,
});
