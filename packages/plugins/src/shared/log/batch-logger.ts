import type { LogContext, PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { acquireBatches, type BatchesOptions } from "../batch/acquire-batches.ts";
import type { BatchConfig } from "../batch/batch-fields.ts";
import type { BatchLoggerMetadata, LogConfig } from "./log-fields.ts";
import type { LogEntry } from "./log-format.ts";
import { createRequestLog } from "./request-log.ts";

/** What tells one logger that sends batches from another. */
export interface BatchLoggerOptions<TEntry> extends Omit<BatchesOptions<TEntry>, "config" | "deps"> {
  readonly config: LogConfig & BatchConfig;
  readonly deps: PluginDeps<unknown, BatchLoggerMetadata>;
  /** What is kept of an entry until it is sent. */
  readonly encode: (entry: LogEntry, context: LogContext) => TEntry;
}

/** A logger that gathers entries about requests and sends them in batches. */
export function logInBatches<TEntry extends {}>({
  config,
  deps,
  encode,
  ...delivery
}: BatchLoggerOptions<TEntry>): PluginInstance {
  const requestLog = createRequestLog(config, deps);
  const batches = acquireBatches({ ...delivery, config, deps });
  return {
    ...requestLog.phases,
    log(context) {
      batches.push(() => encode(requestLog.entryOf(context), context), context);
      return undefined;
    },
    dispose: () => batches.release(),
  };
}

/** Encoded entries as one JSON text: a list, or the entry itself where each is sent alone (APISIX: loggers). */
export function jsonOf(entries: readonly string[], { batch_max_size: size }: BatchConfig): string {
  return size === 1 ? (entries[0] ?? "") : `[${entries.join(",")}]`;
}
