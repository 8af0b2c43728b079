import { z } from "zod";
import type { BatchSettings } from "./batch-processor.ts";

/** Fields of a configuration that say how entries are batched (APISIX: batch processor). */
export function batchFields(name: string) {
  const whole = z.number().int();
  return {
    name: z.string().default(name).describe("Name of the batches in logs and metrics."),
    batch_max_size: whole
      .min(1)
      .default(1000)
      .describe("Entries that are sent together; with 1 each is sent as it comes."),
    inactive_timeout: whole.min(1).default(5).describe("Seconds without a new entry after which they are sent."),
    buffer_duration: whole.min(1).default(60).describe("Seconds after which the oldest entry is sent."),
    max_retry_count: whole.min(0).default(0).describe("Further tries before entries are given up."),
    retry_delay: whole.min(0).default(1).describe("Seconds before each of them."),
  };
}

/** What may wait where there is no metadata, or it does not say. */
export const DEFAULT_BOUNDS = { entries: 8192, bytes: 64 * 1024 * 1024 };

/** The metadata fields that bound what waits; bytes are bounded here only, not in APISIX. */
export const backlogFields = {
  max_pending_entries: z
    .number()
    .int()
    .min(1)
    .default(DEFAULT_BOUNDS.entries)
    .describe("Entries that may wait in one process; further ones are dropped and counted."),
  max_pending_bytes: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe(
      "Bytes of entries that may wait in one process, 64 MiB if it is left out; further ones are dropped and counted.",
    ),
};

/** What {@link batchFields} become. */
export interface BatchConfig {
  readonly name: string;
  readonly batch_max_size: number;
  readonly inactive_timeout: number;
  readonly buffer_duration: number;
  readonly max_retry_count: number;
  readonly retry_delay: number;
}

/** Seconds as milliseconds, names as ours. */
export function batchSettings(config: BatchConfig): BatchSettings {
  return {
    maxEntries: config.batch_max_size,
    inactiveMs: config.inactive_timeout * 1000,
    maxAgeMs: config.buffer_duration * 1000,
    retries: config.max_retry_count,
    retryDelayMs: config.retry_delay * 1000,
  };
}
