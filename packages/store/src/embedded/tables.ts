import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { prefixEnd } from "../call-guard.ts";
import type { StoreEntry, StoreEvent, WatchBatch } from "../config-store.ts";
import { parseRevision } from "../revision.ts";
import { integerOf } from "./database.ts";

type Row = Record<string, SQLOutputValue>;

/** SQLite's way of saying it. */
const NO_LIMIT = -1;

/** Where a store stands: the revision of its last write and the last one it can no longer tell apart. */
export interface Position {
  readonly revision: number;
  readonly compacted: number;
}

/** The store's statements, prepared once; each is one small step, to be combined inside a transaction. */
export class Tables {
  readonly #position: StatementSync;
  readonly #entry: StatementSync;
  readonly #entries: StatementSync;
  readonly #expired: StatementSync;
  readonly #nextExpiry: StatementSync;
  readonly #history: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #saveEntry: StatementSync;
  readonly #dropEntry: StatementSync;
  readonly #saveEvent: StatementSync;
  readonly #moveTo: StatementSync;
  readonly #compactTo: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    const columns = "key, value, create_revision, mod_revision";
    // The bound is bytes that need not be valid UTF-8, which CAST leaves as they are.
    const under = "key >= ?1 AND key < CAST(?2 AS TEXT)";
    this.#position = database.prepare("SELECT revision, compacted FROM position");
    this.#entry = database.prepare(`SELECT ${columns} FROM entries WHERE key = ?`);
    this.#entries = database.prepare(`SELECT ${columns} FROM entries WHERE ${under} ORDER BY key LIMIT ?3`);
    this.#expired = database.prepare(`SELECT ${columns} FROM entries WHERE expires_at <= ? ORDER BY key`);
    this.#nextExpiry = database.prepare("SELECT min(expires_at) FROM entries WHERE expires_at IS NOT NULL");
    this.#history = database.prepare(
      `SELECT revision, key, value, create_revision FROM history
       WHERE ${under} AND revision > ?3 AND revision <= ?4 ORDER BY revision, key`,
    );
    this.#dataVersion = database.prepare("PRAGMA data_version");
    this.#saveEntry = database.prepare("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)");
    this.#dropEntry = database.prepare("DELETE FROM entries WHERE key = ?");
    this.#saveEvent = database.prepare("INSERT INTO history VALUES (?, ?, ?, ?)");
    this.#moveTo = database.prepare("UPDATE position SET revision = ?");
    this.#compactTo = database.prepare("UPDATE position SET compacted = max(compacted, ?)");
    this.#forget = database.prepare("DELETE FROM history WHERE revision <= ?");
  }

  position(): Position {
    const row = this.#position.get();
    return { revision: Number(row?.["revision"] ?? 0), compacted: Number(row?.["compacted"] ?? 0) };
  }

  /** Changes whenever another connection has committed something. */
  dataVersion(): number {
    return integerOf(this.#dataVersion.get());
  }

  entry(key: string): StoreEntry | undefined {
    const row = this.#entry.get(key);
    return row === undefined ? undefined : entryOf(row);
  }

  /** Entries under `prefix`, the first `limit` of them when it is given. */
  entries(prefix: string, limit = NO_LIMIT): StoreEntry[] {
    return this.#entries.all(prefix, prefixEnd(prefix), limit).map(entryOf);
  }

  /** Every entry under `prefix`, read as it is asked for. */
  *eachEntry(prefix: string): Generator<StoreEntry, void, undefined> {
    for (const row of this.#entries.iterate(prefix, prefixEnd(prefix), NO_LIMIT)) yield entryOf(row);
  }

  /** Entries whose time has come at `now`, in milliseconds since the epoch. */
  expired(now: number): StoreEntry[] {
    return this.#expired.all(now).map(entryOf);
  }

  /** When the next entry expires, in milliseconds since the epoch; infinity when none does. */
  nextExpiry(): number {
    return integerOf(this.#nextExpiry.get()) || Number.POSITIVE_INFINITY;
  }

  /** What happened under `prefix` after one revision up to and including another, one batch per revision. */
  batches(prefix: string, after: number, upTo: number): WatchBatch[] {
    const rows = this.#history.all(prefix, prefixEnd(prefix), after, upTo);
    const byRevision = Map.groupBy(rows, (row) => Number(row["revision"]));
    return [...byRevision].map(([revision, group]) => ({
      revision: parseRevision(revision),
      events: group.map(eventOf),
    }));
  }

  save(entry: StoreEntry, expiresAt: number | null): void {
    const { key, value, createRevision, modRevision } = entry;
    this.#saveEntry.run(key, value, Number(createRevision), Number(modRevision), expiresAt);
    this.#saveEvent.run(Number(modRevision), key, value, Number(createRevision));
  }

  drop(entry: StoreEntry, revision: number): void {
    this.#dropEntry.run(entry.key);
    this.#saveEvent.run(revision, entry.key, null, Number(entry.createRevision));
  }

  moveTo(revision: number): void {
    this.#moveTo.run(revision);
  }

  /** Forgets history at and below `revision`. */
  compactTo(revision: number): void {
    if (revision <= 0) return;
    this.#compactTo.run(revision);
    this.#forget.run(revision);
  }
}

function entryOf(row: Row): StoreEntry {
  return {
    key: String(row["key"]),
    value: String(row["value"]),
    createRevision: parseRevision(Number(row["create_revision"])),
    modRevision: parseRevision(Number(row["mod_revision"])),
  };
}

function eventOf(row: Row): StoreEvent {
  const key = String(row["key"]);
  const revision = parseRevision(Number(row["revision"]));
  if (row["value"] === null) return { type: "delete", key, revision };
  const createRevision = parseRevision(Number(row["create_revision"]));
  return { type: "put", entry: { key, value: String(row["value"]), createRevision, modRevision: revision } };
}
