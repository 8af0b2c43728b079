import { type FileHandle, open, stat } from "node:fs/promises";
import { type Clock, messageOf } from "@fngate/kernel";
import type { ServerPort } from "@fngate/plugin-kit";
import type { Backlog } from "../shared/batch/backlog.ts";
import { textBytes } from "../shared/batch/batch-processor.ts";

/** How often the file is looked for under its name, milliseconds. */
const LOOK_INTERVAL_MS = 1_000;

/** What a {@link LogFile} works with. */
export interface LogFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly server: Pick<ServerPort, "logReopenings">;
  /** Lines on their way to the file. */
  readonly backlog: Backlog;
}

/**
 * The one writer of a file in this process. Lines that come while others are written go together. Whoever moves or
 * deletes the file needs to tell nobody: a new one is made under its name within a second; or for the next line, when
 * the gateway is asked to. Several processes may write to the same file: lines are appended whole.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  #lines: string[] = [];
  #file: FileHandle | undefined;
  #lookedAtMs = 0;
  #reopenings = 0;
  #writing: Promise<void> | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Appends a line, which is made only if there is room for it. */
  write(make: () => string): void {
    const { backlog } = this.#options;
    if (!backlog.hasRoom()) return;
    const line = `${make()}\n`;
    backlog.add(textBytes(line));
    this.#lines.push(line);
    this.#writing ??= this.#writeAll();
  }

  /** Writes what is left and closes the file. */
  async end(): Promise<void> {
    await this.#writing;
    await this.#close();
  }

  async #writeAll(): Promise<void> {
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      await this.#append(lines);
    }
    this.#writing = undefined;
  }

  async #append(lines: readonly string[]): Promise<void> {
    const { backlog, path } = this.#options;
    const text = Buffer.from(lines.join(""));
    const amount = { entries: lines.length, bytes: text.length };
    try {
      await writeWhole(await this.#open(), text);
      backlog.settle(amount);
    } catch (error) {
      backlog.giveUp(amount, { path, cause: messageOf(error) });
      await this.#close();
    }
  }

  async #open(): Promise<FileHandle> {
    const { clock, path, server } = this.#options;
    const nowMs = clock.monotonicMs();
    const isDue = nowMs - this.#lookedAtMs >= LOOK_INTERVAL_MS || server.logReopenings !== this.#reopenings;
    this.#reopenings = server.logReopenings;
    if (this.#file !== undefined && isDue) {
      this.#lookedAtMs = nowMs;
      if (!(await isStill(this.#file, path))) await this.#close();
    }
    if (this.#file === undefined) {
      this.#lookedAtMs = nowMs;
      this.#file = await open(path, "a");
    }
    return this.#file;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }
}

/**
 * Writes everything with one call to the system, which local file systems append whole, whoever else writes there; Node's
 * own `appendFile` makes a call for every 512 KiB. Only what the system did not take at once, when the disk is nearly
 * full, comes after it.
 */
async function writeWhole(file: FileHandle, text: Buffer): Promise<void> {
  let written = 0;
  while (written < text.length) written += (await file.write(text, written)).bytesWritten;
}

/** Whether the path leads to the open file. */
async function isStill(file: FileHandle, path: string): Promise<boolean> {
  const [opened, named] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return opened.ino === named?.ino && opened.dev === named.dev;
}
