import { open, rename, rm } from "node:fs/promises";
import { type Clock, type Logger, messageOf } from "@fngate/kernel";
import { type Listing, parseRevision, type Revision, type StoreEntry } from "@fngate/store";

/** First line of the file; a file of another shape is not read. */
interface Header {
  readonly format: 1;
  readonly prefix: string;
  readonly revision: string;
  readonly count: number;
}

/** Entries per turn of the event loop while writing: about a megabyte of text, a few milliseconds. */
const LINES_PER_TURN = 1_000;

/** Text parsed per turn while reading: some hundred entries, a few milliseconds. */
const BYTES_PER_TURN = 256 * 1024;

/** Quiet time before a write, so that a burst of changes is written once. */
const DEBOUNCE_MS = 1_000;

/** A write may take one part in twenty of the process's time: the pause grows with the last write's length. */
const PAUSE_FACTOR = 20;

export interface LastKnownFileOptions {
  readonly path: string;
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The state to write, asked when a write begins. */
  readonly state: () => { readonly entries: ReadonlyMap<string, StoreEntry>; readonly revision: Revision | undefined };
}

/**
 * Keeps the mirror's last complete state in a file: one JSON line per entry, mode 0600, replaced atomically.
 *
 * Values stay as the store holds them, so encrypted fields stay encrypted.
 */
export class LastKnownFile {
  readonly #options: LastKnownFileOptions;
  #isDirty = false;
  #running: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(options: LastKnownFileOptions) {
    this.#options = options;
  }

  /** Notes a change; the file follows within seconds. */
  touch(): void {
    this.#isDirty = true;
    if (!this.#stopping.signal.aborted) this.#running ??= this.#writeWhileDirty();
  }

  /** Ends the waiting and writes what is outstanding. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (this.#isDirty) await this.#tryWrite();
  }

  /** The state in the file; nothing when there is no file. Rejects when the file is damaged. */
  async read(): Promise<Listing | undefined> {
    const { path, prefix } = this.#options;
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      const text = file.createReadStream({ encoding: "utf8", highWaterMark: BYTES_PER_TURN, autoClose: false });
      return await parseLastKnown(text, prefix);
    } finally {
      await file.close();
    }
  }

  async #writeWhileDirty(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    let pauseMs = DEBOUNCE_MS;
    while (this.#isDirty && !signal.aborted) {
      const isOver = await clock.sleep(pauseMs, signal).then(
        () => false,
        () => true,
      );
      if (isOver) break;
      const startedMs = clock.monotonicMs();
      await this.#tryWrite();
      pauseMs = Math.max(DEBOUNCE_MS, (clock.monotonicMs() - startedMs) * PAUSE_FACTOR);
    }
    this.#running = undefined;
  }

  async #tryWrite(): Promise<void> {
    this.#isDirty = false;
    try {
      await this.#write();
    } catch (error) {
      this.#options.logger.warn({ reason: messageOf(error) }, "last known configuration cannot be written");
    }
  }

  async #write(): Promise<void> {
    const { path, prefix } = this.#options;
    const { entries, revision } = this.#options.state();
    if (revision === undefined) return;
    const temporary = `${path}.${process.pid}.tmp`;
    const values = [...entries.values()];
    try {
      const file = await open(temporary, "w", 0o600);
      try {
        const header: Header = { format: 1, prefix, revision, count: values.length };
        await file.write(`${JSON.stringify(header)}\n`);
        for (let start = 0; start < values.length; start += LINES_PER_TURN) {
          await file.write(
            values
              .slice(start, start + LINES_PER_TURN)
              .map(renderLine)
              .join(""),
          );
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

function renderLine(entry: StoreEntry): string {
  return `${JSON.stringify([entry.key, entry.value, entry.createRevision, entry.modRevision])}\n`;
}

async function parseLastKnown(text: AsyncIterable<string>, prefix: string): Promise<Listing> {
  let header: Header | undefined;
  const entries: StoreEntry[] = [];
  // Not Node's readline: it ends lines at U+2028 too, which JSON leaves as it is.
  let rest = "";
  for await (const piece of text) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (header === undefined) header = parseHeader(line, prefix);
      else entries.push(parseLine(line));
    }
  }
  if (header === undefined || rest !== "" || entries.length !== header.count) {
    throw new Error("last known file is incomplete");
  }
  return { revision: parseRevision(header.revision), entries };
}

function parseHeader(line: string, prefix: string): Header {
  const header: unknown = JSON.parse(line);
  if (isHeader(header) && header.prefix === prefix) return header;
  throw new Error("last known file is of another format or prefix");
}

function isHeader(value: unknown): value is Header {
  return typeof value === "object" && value !== null && "format" in value && value.format === 1 && "prefix" in value;
}

function parseLine(line: string): StoreEntry {
  const fields: unknown = JSON.parse(line);
  if (!Array.isArray(fields) || !fields.every((field) => typeof field === "string")) {
    throw new Error("last known file has a damaged line");
  }
  const [key = "", value = "", created = "", modified = ""] = fields;
  return { key, value, createRevision: parseRevision(created), modRevision: parseRevision(modified) };
}
