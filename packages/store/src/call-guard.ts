import { GatewayError } from "@fngate/kernel";
import type { Expectation, StoreEntry } from "./config-store.ts";

/** Raises `STORE_CLOSED` when `closing` has fired and `STORE_ABORTED` when `signal` has. */
export function checkCall(closing: AbortSignal, signal: AbortSignal | undefined): void {
  if (closing.aborted) throw new GatewayError("STORE_CLOSED", "the store is closed");
  if (signal?.aborted) throw new GatewayError("STORE_ABORTED", "the call was aborted", { cause: signal.reason });
}

/** Raises `STORE_CONFLICT` when what the key holds is not what the writer expects. */
export function checkExpectation(key: string, entry: StoreEntry | undefined, expected: Expectation | undefined): void {
  const actual = entry?.modRevision ?? "absent";
  if (expected !== undefined && expected !== actual) throw conflict(key, expected, actual);
}

/** The `STORE_CONFLICT` of a lost compare-and-set race. */
export function conflict(key: string, expected: Expectation, actual: Expectation): GatewayError {
  const details = { key, expected, actual };
  return new GatewayError("STORE_CONFLICT", `"${key}" is at ${actual}, not at ${expected}`, { details });
}

/**
 * The exclusive upper bound, in bytes, of every key that starts with `prefix`.
 *
 * UTF-8 has no byte 0xff, so the last byte can always be counted up, and the empty prefix is bounded by 0xff itself.
 */
export function prefixEnd(prefix: string): Buffer {
  if (prefix === "") return Buffer.of(0xff);
  const end = Buffer.from(prefix);
  const last = end.length - 1;
  end.writeUInt8(end.readUInt8(last) + 1, last);
  return end;
}

/** Resolves when `wait` does or when a signal fires, whichever comes first; raises nothing of its own. */
export async function waitFor(wait: Promise<unknown>, signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  if (any.aborted) return;
  const { promise: fired, resolve } = Promise.withResolvers<void>();
  const onAbort = () => resolve();
  any.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([wait, fired]);
  } finally {
    any.removeEventListener("abort", onAbort);
  }
}
