import { definePlugin } from "@fngate/plugin-kit";
import { findClient } from "./find-client.ts";
import { realIpSchema } from "./schema.ts";

/** Takes the client's address from where a proxy in front of the gateway left it (APISIX: real-ip). */
export const realIp = definePlugin({
  name: "real-ip",
  version: 0.1,
  priority: 23000,
  schema: realIpSchema,
  setup: findClient,
});
