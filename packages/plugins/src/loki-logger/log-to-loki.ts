import { compileTemplate, type PluginDeps, type PluginInstance, type Variables } from "@fngate/plugin-kit";
import { textBytes } from "../shared/batch/batch-processor.ts";
import { logInBatches } from "../shared/log/batch-logger.ts";
import type { BatchLoggerMetadata } from "../shared/log/log-fields.ts";
import { jsonWithRoute, refusalBy } from "../shared/log/log-service.ts";
import { readableText } from "../shared/log/readable-text.ts";
import type { LokiLoggerConfig } from "./schema.ts";
import { type LokiEntry, renderStreams } from "./streams.ts";

/** Pushes batches of entries. */
export function logToLoki(config: LokiLoggerConfig, deps: PluginDeps<unknown, BatchLoggerMetadata>): PluginInstance {
  const {
    endpoint_addrs: addresses,
    endpoint_uri: path,
    keepalive,
    ssl_verify: verifyTls,
    timeout: timeoutMs,
  } = config;
  const headers = headersOf(config);
  const labelsOf = compileLabels(config.log_labels);
  return logInBatches<LokiEntry>({
    plugin: "loki-logger",
    config,
    deps,
    encode: (entry, { timings, variables }) => ({
      labels: labelsOf(variables),
      timeNs: `${Math.floor(timings.startedAtMs)}000000`,
      line: jsonWithRoute(entry),
    }),
    sizeOf: ({ labels, line }) => textBytes(line) + textBytes(Object.values(labels).join("")),
    async deliver(entries) {
      const address = addresses[Math.floor(deps.random() * addresses.length)] ?? "";
      const body = renderStreams(entries);
      const call = { method: "POST", url: address + path, headers, body, timeoutMs, verifyTls, keepalive };
      const answer = await deps.http.call(call);
      if (answer.status >= 300) throw refusalBy("loki", answer);
    },
  });
}

/** The configured fields, but for those that are always sent. */
function headersOf({ headers = {}, tenant_id: tenant }: LokiLoggerConfig): readonly string[] {
  const own = Object.entries(headers).filter(([name]) => !/^(x-scope-orgid|content-type)$/i.test(name));
  return [...own.flat(), "X-Scope-OrgID", tenant, "Content-Type", "application/json"];
}

/** Labels of a request; one whose variables have no value stays as it is written. */
function compileLabels(labels: Readonly<Record<string, string>>): (variables: Variables) => LokiEntry["labels"] {
  const templates = Object.entries(labels).map(([name, text]) => ({ name, text, template: compileTemplate(text) }));
  return (variables) =>
    Object.fromEntries(
      templates.map(({ name, template, text }) => [name, readableText(template.resolve(variables) ?? text)]),
    );
}
