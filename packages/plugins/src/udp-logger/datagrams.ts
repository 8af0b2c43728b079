import type { BatchConfig } from "../shared/batch/batch-fields.ts";
import { textBytes } from "../shared/batch/batch-processor.ts";
import { jsonOf } from "../shared/log/batch-logger.ts";
import { MAX_DATAGRAM_BYTES } from "../shared/log/send-to-socket.ts";

/** The brackets of a list. */
const LIST_BYTES = 2;
/** What stands between entries. */
const COMMA_BYTES = 1;

/** Entries above this size fit into no datagram. */
export const MAX_ENTRY_BYTES = MAX_DATAGRAM_BYTES - LIST_BYTES;

/** Entries, none of which is too large, as few JSON texts, each of which fits into a datagram. */
export function datagramsOf(entries: readonly string[], config: BatchConfig): readonly string[] {
  const groups: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const own = COMMA_BYTES + textBytes(entry);
    if (bytes + own > MAX_DATAGRAM_BYTES) {
      groups.push([]);
      // There is no comma before the first.
      bytes = LIST_BYTES - COMMA_BYTES;
    }
    groups.at(-1)?.push(entry);
    bytes += own;
  }
  return groups.map((group) => jsonOf(group, config));
}
