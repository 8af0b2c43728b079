import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Logger, messageOf } from "@fngate/kernel";
import type { CachedAnswer, CacheStore } from "./cache-store.ts";

/** Where and how much a {@link DiskStore} keeps. */
export interface DiskStoreOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly logger: Logger;
}

/** Answers that files begin with, in JSON on one line; the body follows. */
type Head = Omit<CachedAnswer, "body"> & { readonly key: string };

const LINE_FEED = 0x0a;

/**
 * Answers in files, up to a number of bytes. Files are named by a digest of their key, in directories by its first
 * digits; they are written whole beside their place and then moved there, and outlive the process.
 */
export class DiskStore implements CacheStore {
  readonly #options: DiskStoreOptions;
  /** Bytes by file name, used longest ago first. */
  readonly #files = new Map<string, number>();
  /** Writes under way, by file name. */
  readonly #writing = new Map<string, Promise<void>>();
  #bytes = 0;
  /** Settles when the directory is known; false: it cannot be used. */
  #opened: Promise<boolean> | undefined;

  constructor(options: DiskStoreOptions) {
    this.#options = options;
  }

  async get(key: string): Promise<CachedAnswer | undefined> {
    const name = nameOf(key);
    if (!(await this.#open()) || !this.#files.has(name)) return undefined;
    try {
      const answer = parseFile(await readFile(this.#pathOf(name)), key);
      this.#touch(name);
      return answer;
    } catch {
      await this.#remove(name);
      return undefined;
    }
  }

  async set(key: string, answer: CachedAnswer): Promise<void> {
    const name = nameOf(key);
    const written = [this.#writing.get(name), this.#write(name, key, answer)];
    const writing = Promise.all(written).then(() => undefined);
    this.#writing.set(name, writing);
    await writing;
    if (this.#writing.get(name) === writing) this.#writing.delete(name);
  }

  /** What is being written is deleted, too: whoever asks for that has seen the answer. */
  async delete(key: string): Promise<boolean> {
    const name = nameOf(key);
    await this.#writing.get(name);
    if (!(await this.#open()) || !this.#files.has(name)) return false;
    await this.#remove(name);
    return true;
  }

  async #write(name: string, key: string, answer: CachedAnswer): Promise<void> {
    if (!(await this.#open())) return;
    const { body, ...head } = answer;
    const bytes = Buffer.concat([Buffer.from(`${JSON.stringify({ ...head, key } satisfies Head)}\n`), body]);
    if (bytes.length > this.#options.maxBytes) return;
    const path = this.#pathOf(name);
    const draft = join(this.#options.directory, `${randomUUID()}.draft`);
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(draft, bytes, { mode: 0o600 });
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      this.#options.logger.warn({ reason: messageOf(error) }, "an answer could not be written to the cache");
      return;
    }
    this.#forget(name);
    this.#files.set(name, bytes.length);
    this.#bytes += bytes.length;
    await this.#evict();
  }

  #open(): Promise<boolean> {
    this.#opened ??= this.#scan();
    return this.#opened;
  }

  /** Takes over what an earlier process left, oldest first, and clears away what it did not finish. */
  async #scan(): Promise<boolean> {
    const { directory, logger } = this.#options;
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await refuseForeign(directory);
      const found: { readonly name: string; readonly bytes: number; readonly changedMs: number }[] = [];
      for (const path of await readdir(directory, { recursive: true })) {
        const name = path.slice(path.lastIndexOf("/") + 1);
        const isDraft = name.endsWith(".draft");
        if (isDraft) await rm(join(directory, path), { force: true });
        if (isDraft || !/^[0-9a-f]{64}$/.test(name)) continue;
        const { mtimeMs, size } = await stat(join(directory, path));
        found.push({ name, bytes: size, changedMs: mtimeMs });
      }
      for (const { bytes, name } of found.toSorted((a, b) => a.changedMs - b.changedMs)) {
        this.#files.set(name, bytes);
        this.#bytes += bytes;
      }
      await this.#evict();
      return true;
    } catch (error) {
      logger.error({ directory, reason: messageOf(error) }, "the cache's directory cannot be used: nothing is cached");
      return false;
    }
  }

  async #evict(): Promise<void> {
    for (const name of this.#files.keys()) {
      if (this.#bytes <= this.#options.maxBytes) return;
      await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    this.#forget(name);
    await rm(this.#pathOf(name), { force: true }).catch(() => {});
  }

  #forget(name: string): void {
    this.#bytes -= this.#files.get(name) ?? 0;
    this.#files.delete(name);
  }

  #touch(name: string): void {
    const bytes = this.#files.get(name);
    if (bytes === undefined) return;
    this.#files.delete(name);
    this.#files.set(name, bytes);
  }

  #pathOf(name: string): string {
    return join(this.#options.directory, name.slice(0, 2), name);
  }
}

function nameOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** In a directory that everybody may write to, somebody else may have been first, and answers are private. */
async function refuseForeign(directory: string): Promise<void> {
  const { uid } = await stat(directory);
  const ours = process.getuid?.();
  if (ours !== undefined && uid !== ours) throw new Error("the directory belongs to another user");
}

/** @throws when the file is not what {@link DiskStore.set} wrote for that key */
function parseFile(bytes: Buffer, key: string): CachedAnswer {
  const end = bytes.indexOf(LINE_FEED);
  const head: unknown = JSON.parse(bytes.subarray(0, end).toString("utf8"));
  if (!isHead(head) || head.key !== key) throw new Error("not an answer of that key");
  const { headers, status, storedAtMs, ttlSeconds } = head;
  return { status, headers, storedAtMs, ttlSeconds, body: bytes.subarray(end + 1) };
}

function isHead(value: unknown): value is Head {
  if (typeof value !== "object" || value === null) return false;
  const { headers, key, status, storedAtMs, ttlSeconds } = value as Partial<Record<keyof Head, unknown>>;
  const areNumbers = [status, storedAtMs, ttlSeconds].every((number) => typeof number === "number");
  return areNumbers && typeof key === "string" && Array.isArray(headers) && headers.every(isText);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
