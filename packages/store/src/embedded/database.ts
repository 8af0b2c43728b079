import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { GatewayError, messageOf } from "@fngate/kernel";

/** Marks the file as ours in SQLite's header: "fngt". */
const APPLICATION_ID = 0x666e6774;

/** Counts up with every change of {@link TABLES} an older release could not read. */
const FORMAT = 1;

/** How long a write waits for another process to end its own, in milliseconds; it blocks this process meanwhile. */
const BUSY_TIMEOUT_MS = 2_000;

/**
 * `entries` holds what is, `history` what happened (a NULL value is a deletion), `position` the revision of the
 * last write and the one up to which history was forgotten. Revisions start where etcd's do, at 1.
 */
const TABLES = `
  CREATE TABLE position (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL,
    compacted INTEGER NOT NULL
  );
  INSERT INTO position VALUES (1, 1, 0);
  CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    create_revision INTEGER NOT NULL,
    mod_revision INTEGER NOT NULL,
    expires_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE history (
    revision INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    create_revision INTEGER NOT NULL,
    PRIMARY KEY (revision, key)
  ) WITHOUT ROWID;
`;

/**
 * Opens the store's file, making it (readable by this user only) and its directory where missing.
 *
 * Raises `STORE_UNAVAILABLE` when the file cannot be read, is no SQLite database, belongs to another program or
 * was written by a newer release.
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ":memory:") touch(path);
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // Looked at before anything is changed: the file may be somebody else's.
    const isNew = isEmpty(database);
    if (!isNew) checkFormat(database, path);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    if (isNew) createTables(database);
    return database;
  } catch (error) {
    if (database?.isOpen) database.close();
    throw unavailable(path, error);
  }
}

/**
 * Opens the file of a store that another process has made and writes to. Raises `STORE_UNAVAILABLE` when it is not
 * there, or not one that this release reads.
 */
export function openForReading(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    checkFormat(database, path);
    return database;
  } catch (error) {
    if (database?.isOpen) database.close();
    throw unavailable(path, error);
  }
}

/** The `STORE_UNAVAILABLE` of anything SQLite or the file system raises; other errors of the gateway pass unchanged. */
export function unavailable(path: string, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const message = `the configuration store "${path}" cannot be used: ${messageOf(error)}`;
  return new GatewayError("STORE_UNAVAILABLE", message, { cause: error, details: { path } });
}

/** The one integer a statement answers. */
export function integerOf(row: Record<string, unknown> | undefined): number {
  const value = row === undefined ? undefined : Object.values(row)[0];
  return typeof value === "number" ? value : 0;
}

/** Runs `work` in one write transaction, so that it happens whole or not at all. */
export function transact<TResult>(database: DatabaseSync, work: () => TResult): TResult {
  // IMMEDIATE takes the write lock first: a transaction that read before could not become a writer safely.
  return within(database, "BEGIN IMMEDIATE", work);
}

/** Runs reads that must see one state of the store, whatever other processes write meanwhile. */
export function readAtOnce<TResult>(database: DatabaseSync, work: () => TResult): TResult {
  return within(database, "BEGIN", work);
}

function within<TResult>(database: DatabaseSync, begin: string, work: () => TResult): TResult {
  database.exec(begin);
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function touch(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  // Values may hold keys and tokens; SQLite gives its side files the mode of the main one.
  closeSync(openSync(path, "a", 0o600));
}

function isEmpty(database: DatabaseSync): boolean {
  return integerOf(database.prepare("SELECT count(*) FROM sqlite_schema").get()) === 0;
}

function createTables(database: DatabaseSync): void {
  transact(database, () => {
    // Another process may have made the tables since the look from outside the transaction.
    if (!isEmpty(database)) return;
    database.exec(`${TABLES} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT};`);
  });
}

function checkFormat(database: DatabaseSync, path: string): void {
  if (integerOf(database.prepare("PRAGMA application_id").get()) !== APPLICATION_ID) {
    throw formatError(path, "is a SQLite database of another program");
  }
  const format = integerOf(database.prepare("PRAGMA user_version").get());
  if (format > FORMAT) throw formatError(path, `has format ${format}, this release reads up to ${FORMAT}: upgrade`);
}

function formatError(path: string, problem: string): GatewayError {
  return new GatewayError("STORE_UNAVAILABLE", `the file "${path}" ${problem}`, { details: { path } });
}
