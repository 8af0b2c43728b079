import { definePlugin } from "@fngate/plugin-kit";
import { proxyBufferingSchema } from "./schema.ts";

/** Accepted for configurations of APISIX: answers are never held back here (APISIX: proxy-buffering). */
export const proxyBuffering = definePlugin({
  name: "proxy-buffering",
  version: 0.1,
  priority: 21991,
  schema: proxyBufferingSchema,
  setup: () => ({}),
});
