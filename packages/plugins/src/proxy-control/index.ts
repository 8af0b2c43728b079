import { definePlugin } from "@fngate/plugin-kit";
import { proxyControlSchema } from "./schema.ts";

/** Says whether short bodies are read whole before an upstream is called (APISIX: proxy-control). */
export const proxyControl = definePlugin({
  name: "proxy-control",
  version: 0.1,
  priority: 21990,
  schema: proxyControlSchema,
  setup: ({ request_buffering: isBuffered }) =>
    isBuffered
      ? {}
      : {
          rewrite({ upstream }) {
            upstream.isBodyStreamed = true;
          },
        },
});
