import { definePlugin, type PluginDeps, type PluginInstance } from "@fngate/plugin-kit";
import { textBytes } from "../shared/batch/batch-processor.ts";
import { jsonOf, logInBatches } from "../shared/log/batch-logger.ts";
import { type BatchLoggerMetadata, batchLoggerMetadataSchema } from "../shared/log/log-fields.ts";
import { TcpSender } from "../shared/log/send-to-socket.ts";
import { type TcpLoggerConfig, tcpLoggerSchema } from "./schema.ts";

/** Sends entries about requests to a TCP server (APISIX: tcp-logger). */
export const tcpLogger = definePlugin({
  name: "tcp-logger",
  version: 0.1,
  priority: 405,
  schema: tcpLoggerSchema,
  metadataSchema: batchLoggerMetadataSchema,
  setup: logToTcp,
});

function logToTcp(config: TcpLoggerConfig, deps: PluginDeps<unknown, BatchLoggerMetadata>): PluginInstance {
  const { host, port, timeout: timeoutMs, tls: isTls, tls_options: serverName } = config;
  const sender = new TcpSender({ host, port, timeoutMs }, isTls ? { serverName } : undefined);
  return logInBatches({
    plugin: "tcp-logger",
    config,
    deps,
    encode: (entry) => JSON.stringify(entry),
    sizeOf: textBytes,
    deliver: (entries) => sender.send(jsonOf(entries, config)),
    onEnd: () => sender.close(),
  });
}
