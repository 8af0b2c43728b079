import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Listing, StoreEntry } from "../config-store.ts";
import { parseRevision } from "../revision.ts";
import { Tables } from "./tables.ts";

/** Entries read without a break: a few milliseconds. */
export const ENTRIES_PER_TURN = 1_000;

/**
 * Lists in turns with other work. A connection of its own sees one state of the store for as long as that takes,
 * whatever is written meanwhile; `check` is called every turn and ends the listing by throwing.
 */
export async function listInTurns(path: string, prefix: string, check: () => void): Promise<Listing> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec("BEGIN");
    const tables = new Tables(database);
    const revision = parseRevision(tables.position().revision);
    const entries: StoreEntry[] = [];
    for (const entry of tables.eachEntry(prefix)) {
      entries.push(entry);
      if (entries.length % ENTRIES_PER_TURN > 0) continue;
      await nextTurn();
      check();
    }
    return { entries, revision };
  } finally {
    database.close();
  }
}
