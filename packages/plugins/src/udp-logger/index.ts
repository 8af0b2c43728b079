import { definePlugin, type PluginDeps, type PluginInstance } from "@fngate/plugin-kit";
import { textBytes } from "../shared/batch/batch-processor.ts";
import { logInBatches } from "../shared/log/batch-logger.ts";
import { type BatchLoggerMetadata, batchLoggerMetadataSchema } from "../shared/log/log-fields.ts";
import { sendOverUdp } from "../shared/log/send-to-socket.ts";
import { datagramsOf, MAX_ENTRY_BYTES } from "./datagrams.ts";
import { type UdpLoggerConfig, udpLoggerSchema } from "./schema.ts";

/** Sends entries about requests to a UDP server (APISIX: udp-logger). */
export const udpLogger = definePlugin({
  name: "udp-logger",
  version: 0.1,
  priority: 400,
  schema: udpLoggerSchema,
  metadataSchema: batchLoggerMetadataSchema,
  setup: logToUdp,
});

function logToUdp(config: UdpLoggerConfig, deps: PluginDeps<unknown, BatchLoggerMetadata>): PluginInstance {
  const { host, port, timeout } = config;
  return logInBatches({
    plugin: "udp-logger",
    config,
    deps,
    encode: (entry) => JSON.stringify(entry),
    sizeOf: textBytes,
    maxEntryBytes: MAX_ENTRY_BYTES,
    deliver: (entries) => sendOverUdp({ host, port, timeoutMs: timeout * 1000 }, datagramsOf(entries, config)),
  });
}
