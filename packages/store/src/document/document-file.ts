import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type Clock, GatewayError, hasCode, isGatewayError, type Logger, messageOf } from "@fngate/kernel";
import type { ConfigStore } from "../config-store.ts";
import { createDocumentStore, type DocumentStore, type DocumentValues } from "./document-store.ts";

/**
 * Turns a file's text into a document. Raises `CONFIG_UNREADABLE` with the line when it cannot; `details.isUnfinished`
 * says that the writer has not come to the end yet.
 */
export type DocumentParser = (text: string) => DocumentValues | Promise<DocumentValues>;

/** What {@link openDocumentFile} works with. */
export interface DocumentFileOptions {
  readonly path: string;
  readonly parse: DocumentParser;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often the file is looked at when the system tells nothing of it, in milliseconds; APISIX's interval. */
const POLL_MS = 1_000;

/** How long after a notice the file is read, in milliseconds: a writer that empties it first gets to fill it. */
const SETTLE_MS = 20;

/**
 * Opens a store whose content is a file, read again whenever it changes. A file that cannot be used never replaces
 * what is in use; the log says why, once for each version of the file.
 *
 * Raises `CONFIG_UNREADABLE` when the first version is broken. One that is absent or unfinished is waited for: reads
 * of the store wait with it.
 */
export async function openDocumentFile(options: DocumentFileOptions): Promise<ConfigStore> {
  const file = new DocumentFile(options, createDocumentStore());
  await file.start();
  return file.store;
}

class DocumentFile {
  readonly store: ConfigStore;
  readonly #options: DocumentFileOptions;
  readonly #document: DocumentStore;
  readonly #stopping = new AbortController();
  #watcher: FSWatcher | undefined;
  #following: Promise<void> | undefined;
  /** What the version last looked at can be told by: cheap to ask for, and certain. */
  #signature: string | undefined;
  #digest: string | undefined;
  #touched = Promise.withResolvers<void>();

  constructor(options: DocumentFileOptions, document: DocumentStore) {
    this.#options = options;
    this.#document = document;
    this.store = closing(document, () => this.#stop());
  }

  async start(): Promise<void> {
    const { logger, path } = this.#options;
    // Before the first read, so that no change falls between the two.
    this.#watch();
    try {
      await this.#read();
    } catch (error) {
      if (!isPassing(error)) {
        await this.store.close();
        throw error;
      }
      logger.error({ file: path, reason: messageOf(error) }, "no configuration yet, waiting for the file");
    }
    this.#following = this.#follow();
  }

  /** The directory, not the file: a rename puts another file under the name. */
  #watch(): void {
    const { logger, path } = this.#options;
    const name = basename(path);
    try {
      this.#watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
        // What a mounted volume renames is a link beside the file.
        if (changed === name || changed === null || changed.startsWith("..")) this.#touched.resolve();
      });
      this.#watcher.on("error", (error) =>
        logger.debug({ file: path, reason: messageOf(error) }, "no notices of changes"),
      );
    } catch (error) {
      logger.debug({ file: path, reason: messageOf(error) }, "no notices of changes, looking every second");
    }
  }

  async #follow(): Promise<void> {
    const { clock, logger, path } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (!(await this.#isTouched())) continue;
        this.#touched = Promise.withResolvers();
        await clock.sleep(SETTLE_MS, signal);
        await this.#read();
      } catch (error) {
        if (signal.aborted) return;
        logger.error({ file: path, reason: messageOf(error) }, "configuration file is not used, what there is stays");
      }
    }
  }

  /** Waits for a notice or for the next look; tells whether the file may have changed. */
  async #isTouched(): Promise<boolean> {
    const { clock, path } = this.#options;
    const noticed = new AbortController();
    const isNoticed = await Promise.race([
      this.#touched.promise.then(() => true),
      clock.sleep(POLL_MS, AbortSignal.any([this.#stopping.signal, noticed.signal])).then(
        () => false,
        () => false,
      ),
    ]);
    noticed.abort();
    if (this.#stopping.signal.aborted) return false;
    return isNoticed || (await signatureOf(path)) !== this.#signature;
  }

  async #read(): Promise<void> {
    const { logger, parse, path } = this.#options;
    this.#signature = await signatureOf(path);
    const text = await readText(path);
    const digest = createHash("sha256").update(text).digest("hex");
    if (digest === this.#digest) return;
    // Noted first: a version that cannot be used is told of once.
    this.#digest = digest;
    const values = await parse(text);
    const revision = this.#document.publish(values);
    logger.info({ file: path, objects: values.size, revision }, "configuration file read");
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#watcher?.close();
    await this.#following;
  }
}

async function signatureOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return "absent";
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new GatewayError("CONFIG_UNREADABLE", `cannot read ${path}: ${messageOf(cause)}`, {
      cause,
      details: { isUnfinished: hasCode(cause, "ENOENT") },
    });
  }
}

function isPassing(error: unknown): boolean {
  return isGatewayError(error, "CONFIG_UNREADABLE") && error.details["isUnfinished"] === true;
}

/** The store as its users see it: closing it ends what feeds it. */
function closing(document: DocumentStore, stop: () => Promise<void>): ConfigStore {
  return {
    get: (key, options) => document.get(key, options),
    list: (prefix, options) => document.list(prefix, options),
    put: (key, value, options) => document.put(key, value, options),
    delete: (key, options) => document.delete(key, options),
    deletePrefix: (prefix, options) => document.deletePrefix(prefix, options),
    watch: (prefix, after, options) => document.watch(prefix, after, options),
    close: async () => {
      await stop();
      await document.close();
    },
  };
}
