import { definePlugin } from "@fngate/plugin-kit";
import { rewriteRequests } from "./rewrite.ts";
import { proxyRewriteSchema } from "./schema.ts";

/** Changes requests before they go to the upstream or function (APISIX: proxy-rewrite). */
export const proxyRewrite = definePlugin({
  name: "proxy-rewrite",
  version: 0.1,
  priority: 1008,
  schema: proxyRewriteSchema,
  setup: rewriteRequests,
});
