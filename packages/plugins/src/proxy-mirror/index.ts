import { definePlugin } from "@fngate/plugin-kit";
import { mirrorRequests } from "./mirror.ts";
import { proxyMirrorSchema } from "./schema.ts";

/** Sends copies of requests to another service, whose answers nobody waits for (APISIX: proxy-mirror). */
export const proxyMirror = definePlugin({
  name: "proxy-mirror",
  version: 0.1,
  priority: 1010,
  schema: proxyMirrorSchema,
  setup: mirrorRequests,
});
