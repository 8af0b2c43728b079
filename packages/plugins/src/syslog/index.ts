import { definePlugin, type PluginDeps, type PluginInstance } from "@fngate/plugin-kit";
import { textBytes } from "../shared/batch/batch-processor.ts";
import { logInBatches } from "../shared/log/batch-logger.ts";
import { type BatchLoggerMetadata, batchLoggerMetadataSchema } from "../shared/log/log-fields.ts";
import { MAX_DATAGRAM_BYTES, sendOverUdp, TcpSender } from "../shared/log/send-to-socket.ts";
import { renderSyslogMessage } from "./message.ts";
import { type SyslogConfig, syslogSchema } from "./schema.ts";

/** Sends entries about requests to a syslog server (APISIX: syslog). */
export const syslog = definePlugin({
  name: "syslog",
  version: 0.1,
  priority: 401,
  schema: syslogSchema,
  metadataSchema: batchLoggerMetadataSchema,
  setup: logToSyslog,
});

function logToSyslog(config: SyslogConfig, deps: PluginDeps<unknown, BatchLoggerMetadata>): PluginInstance {
  const { host, port, sock_type: transport, timeout: timeoutMs, tls: isTls } = config;
  const target = { host, port, timeoutMs };
  const isDatagram = transport === "udp";
  const sender = new TcpSender(target, isTls ? {} : undefined);
  return logInBatches({
    plugin: "syslog",
    config,
    deps,
    encode: (entry, { request, variables }) =>
      renderSyslogMessage({
        atMs: deps.clock.now(),
        host: request.host,
        processId: String(variables.get("pid") ?? "-"),
        text: JSON.stringify(entry),
      }),
    sizeOf: textBytes,
    maxEntryBytes: isDatagram ? MAX_DATAGRAM_BYTES : undefined,
    deliver: (messages) => (isDatagram ? sendOverUdp(target, messages) : sender.send(messages.join(""))),
    onEnd: () => sender.close(),
  });
}
