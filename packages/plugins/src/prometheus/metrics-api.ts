import type { PluginApi, PluginDeps } from "@fngate/plugin-kit";

const DEFAULT_URI = "/apisix/prometheus/metrics";

/** The metrics for `public-api`, where they have no listener of their own (APISIX: `enable_export_server`). */
export function metricsApis({ attributes, server }: PluginDeps<unknown, unknown>): readonly PluginApi[] {
  if (attributes["enable_export_server"] !== false) return [];
  const { export_uri: uri } = attributes;
  return [
    {
      methods: ["GET"],
      path: typeof uri === "string" ? uri : DEFAULT_URI,
      async handle() {
        const { body, contentType } = await server.metrics();
        return { kind: "reply", status: 200, headers: ["Content-Type", contentType], body };
      },
    },
  ];
}
