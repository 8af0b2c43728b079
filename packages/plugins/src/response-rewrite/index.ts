import { definePlugin } from "@fngate/plugin-kit";
import { rewriteAnswers } from "./rewrite.ts";
import { responseRewriteSchema } from "./schema.ts";

/** Changes answers on their way to the client (APISIX: response-rewrite). */
export const responseRewrite = definePlugin({
  name: "response-rewrite",
  version: 0.1,
  priority: 899,
  schema: responseRewriteSchema,
  setup: rewriteAnswers,
});
