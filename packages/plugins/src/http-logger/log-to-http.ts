import type { PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { jsonOf, logInBatches } from "../shared/log/batch-logger.ts";
import type { BatchLoggerMetadata } from "../shared/log/log-fields.ts";
import type { LogEntry } from "../shared/log/log-format.ts";
import type { HttpLoggerConfig } from "./schema.ts";

/** Most of a refusing answer that is reported, bytes. */
const MAX_REPORTED_BYTES = 256;

/** Posts batches of entries. */
export function logToHttp(config: HttpLoggerConfig, deps: PluginDeps<unknown, BatchLoggerMetadata>): PluginInstance {
  const { auth_header: authorization, concat_method: method, ssl_verify: verifyTls, timeout, uri: url } = config;
  const type = method === "json" ? "application/json" : "text/plain";
  const headers = ["Content-Type", type, ...(authorization === undefined ? [] : ["Authorization", authorization])];
  return logInBatches({
    plugin: "http-logger",
    config,
    deps,
    encode: (entry) => JSON.stringify(withRoute(entry)),
    async deliver(entries) {
      const body = method === "json" ? jsonOf(entries, config) : entries.join("\n");
      const call = { method: "POST", url, headers, body, timeoutMs: timeout * 1000, verifyTls };
      const answer = await deps.http.call(call);
      if (answer.status < 400) return;
      const reported = Buffer.from(answer.body.subarray(0, MAX_REPORTED_BYTES)).toString();
      throw new Error(`the log server answered ${answer.status}: ${reported}`);
    },
  });
}

/** An entry about a request that matched no route says so. */
function withRoute(entry: LogEntry): LogEntry {
  return { ...entry, route_id: entry["route_id"] ?? "no-matched" };
}
