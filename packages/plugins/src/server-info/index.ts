import { definePlugin, type PluginApi, type PluginDeps } from "@fngate/plugin-kit";
import { serverInfoSchema } from "./schema.ts";

/** Tells which gateway this is, on the Control API (APISIX: server-info). */
export const serverInfo = definePlugin({
  name: "server-info",
  version: 0.1,
  priority: 990,
  scope: "global",
  schema: serverInfoSchema,
  setup: () => ({}),
  controlApis: (deps) => [infoApi(deps)],
});

function infoApi({ server }: PluginDeps): PluginApi {
  return {
    methods: ["GET"],
    path: "/v1/server_info",
    async handle() {
      const info = {
        etcd_version: (await server.storeVersion()) ?? "unknown",
        hostname: server.hostname,
        id: server.id,
        version: server.version,
        boot_time: Math.floor(server.startedAtMs / 1000),
      };
      const headers = ["Content-Type", "application/json"];
      return { kind: "reply", status: 200, headers, body: info };
    },
  };
}
