import type { PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { textBytes } from "../shared/batch/batch-processor.ts";
import { jsonOf, logInBatches } from "../shared/log/batch-logger.ts";
import type { BatchLoggerMetadata } from "../shared/log/log-fields.ts";
import { jsonWithRoute, refusalBy } from "../shared/log/log-service.ts";
import type { HttpLoggerConfig } from "./schema.ts";

/** Posts batches of entries. */
export function logToHttp(config: HttpLoggerConfig, deps: PluginDeps<unknown, BatchLoggerMetadata>): PluginInstance {
  const { auth_header: authorization, concat_method: method, ssl_verify: verifyTls, timeout, uri: url } = config;
  const type = method === "json" ? "application/json" : "text/plain";
  const headers = ["Content-Type", type, ...(authorization === undefined ? [] : ["Authorization", authorization])];
  return logInBatches({
    plugin: "http-logger",
    config,
    deps,
    encode: (entry) => jsonWithRoute(entry),
    sizeOf: textBytes,
    async deliver(entries) {
      const body = method === "json" ? jsonOf(entries, config) : entries.join("\n");
      const call = { method: "POST", url, headers, body, timeoutMs: timeout * 1000, verifyTls };
      const answer = await deps.http.call(call);
      if (answer.status >= 400) throw refusalBy("the log server", answer);
    },
  });
}
