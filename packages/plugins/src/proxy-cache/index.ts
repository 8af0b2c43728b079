import { definePlugin } from "@fngate/plugin-kit";
import { AnswerCache } from "./answer-cache.ts";
import { proxyCacheSchema } from "./schema.ts";

/** Answers requests from what was kept of earlier answers, in memory or on disk (APISIX: proxy-cache). */
export const proxyCache = definePlugin({
  name: "proxy-cache",
  version: 0.2,
  priority: 1085,
  schema: proxyCacheSchema,
  setup: (config, deps) => new AnswerCache(config, deps),
});
