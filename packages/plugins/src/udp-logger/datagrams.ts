import type { BatchConfig } from "../shared/batch/batch-fields.ts";
import { jsonOf } from "../shared/log/batch-logger.ts";
import { MAX_DATAGRAM_BYTES } from "../shared/log/send-to-socket.ts";

/** The brackets of a list, and the comma after each entry. */
const LIST_BYTES = 2;
const COMMA_BYTES = 1;

/** What a batch is sent as. */
export interface Datagrams {
  readonly datagrams: readonly string[];
  /** Entries that no datagram has room for. */
  readonly tooLarge: number;
}

/** The entries as few JSON texts, each of which fits into a datagram. */
export function datagramsOf(entries: readonly string[], config: BatchConfig): Datagrams {
  const groups: string[][] = [];
  let tooLarge = 0;
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const own = Buffer.byteLength(entry) + COMMA_BYTES;
    if (own + LIST_BYTES > MAX_DATAGRAM_BYTES) {
      tooLarge += 1;
      continue;
    }
    if (bytes + own > MAX_DATAGRAM_BYTES) {
      groups.push([]);
      bytes = LIST_BYTES;
    }
    groups.at(-1)?.push(entry);
    bytes += own;
  }
  return { datagrams: groups.map((group) => jsonOf(group, config)), tooLarge };
}
