import { definePlugin, type PluginDeps, type PluginInstance } from "@fngate/plugin-kit";
import { logInBatches } from "../shared/log/batch-logger.ts";
import { type BatchLoggerMetadata, batchLoggerMetadataSchema } from "../shared/log/log-fields.ts";
import { MAX_DATAGRAM_BYTES, sendOverTcp, sendOverUdp } from "../shared/log/send-to-socket.ts";
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
  const tls = isTls ? {} : undefined;
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
    deliver(messages) {
      if (transport !== "udp") return sendOverTcp(target, messages.join(""), tls);
      const fitting = messages.filter((message) => Buffer.byteLength(message) <= MAX_DATAGRAM_BYTES);
      const tooLarge = messages.length - fitting.length;
      if (tooLarge > 0) deps.logger.error({ entries: tooLarge }, "entries that fit into no datagram are dropped");
      return sendOverUdp(target, fitting);
    },
  });
}
