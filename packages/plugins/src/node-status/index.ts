import { definePlugin, type PluginApi, type PluginDeps } from "@fngate/plugin-kit";
import { nodeStatusSchema } from "./schema.ts";

/** Tells how many clients there are, at an endpoint for `public-api` (APISIX: node-status). */
export const nodeStatus = definePlugin({
  name: "node-status",
  version: 0.1,
  priority: 1000,
  scope: "global",
  schema: nodeStatusSchema,
  setup: () => ({}),
  publicApis: (deps) => [statusApi(deps)],
});

function statusApi({ server }: PluginDeps): PluginApi {
  return {
    methods: ["GET"],
    path: "/apisix/status",
    async handle() {
      const { acceptedConnections: accepted, busyConnections, openConnections, requests } = await server.traffic();
      const counts = {
        active: openConnections,
        accepted,
        handled: accepted,
        total: requests,
        reading: 0,
        writing: busyConnections,
        waiting: Math.max(0, openConnections - busyConnections),
      };
      // Numbers are texts in APISIX, which takes them from a page of nginx.
      const status = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)]));
      return { kind: "reply", status: 200, body: JSON.stringify({ id: server.id, status }) };
    },
  };
}
