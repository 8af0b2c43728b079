import { once } from "node:events";
import { open } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";

/** Access-log lines on their way to a file. */
export interface AccessLogFile {
  write(line: string): void;
  /**
   * Opens the file under its name again, for whoever has moved it; every line is in the old or the new one. Rejects, and
   * goes on with the file that is open, when it cannot be opened. Streams of the process stay as they are.
   */
  reopen(): Promise<void>;
  /** Writes out what is buffered and closes the file. */
  close(): Promise<void>;
}

/**
 * Lines wait for this many characters, or for {@link FLUSH_INTERVAL_MS}: one system call then serves many requests
 * (APISIX: `access_log … buffer=16384 flush=3`). They are joined as text, which costs a line next to nothing.
 */
const BUFFER_CHARACTERS = 65_536;
const FLUSH_INTERVAL_MS = 1_000;

/** What waits for a disk that is stuck; lines beyond are lost. */
const LONGEST_BACKLOG_BYTES = 16 * 1_024 * 1_024;

/** Paths that mean a stream of the process; opening them fails for some users and for sockets. */
const STREAM_DESCRIPTORS: ReadonlyMap<string, number> = new Map([
  ["/dev/stdout", 1],
  ["/dev/stderr", 2],
]);

/**
 * What a pipe takes in one piece (Linux: PIPE_BUF), bytes: workers share the streams of their primary, and lines of
 * one must not end up inside lines of another. A file that is open for appending takes any write whole.
 */
export const PIPE_PIECE_BYTES = 4_096;

/** One of pino's streams in its byte mode, which its types leave out. */
export interface ByteStream {
  write(bytes: string | Uint8Array): boolean;
}

/** Opens an access log for appending; makes its directory. Rejects when the file cannot be opened. */
export async function openAccessLogFile(path: string): Promise<AccessLogFile> {
  const streamDescriptor = STREAM_DESCRIPTORS.get(path);
  if (streamDescriptor !== undefined)
    return new BufferedLog({ stream: openStream(streamDescriptor, true), isShared: true });
  const open = async (): Promise<LogStream> => openStream(await openForAppending(path), false);
  return new BufferedLog({ stream: await open(), isShared: false, open });
}

type LogStream = ReturnType<typeof pino.destination>;

interface LogParts {
  readonly stream: LogStream;
  /** Other processes write to it, too, and not always whole lines. */
  readonly isShared: boolean;
  /** Opens another one in its place; absent for streams of the process. */
  readonly open?: () => Promise<LogStream>;
}

class BufferedLog implements AccessLogFile {
  readonly #parts: LogParts;
  readonly #timer: NodeJS.Timeout;
  #stream: LogStream;
  #pending = "";
  #isClosed = false;
  /** One after the other. */
  #reopening: Promise<void> = Promise.resolve();

  constructor(parts: LogParts) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#timer = setInterval(() => this.#flush(), FLUSH_INTERVAL_MS);
    this.#timer.unref();
  }

  // The stream throws once it is destroyed, and a late line is not worth the process.
  write(line: string): void {
    if (this.#isClosed) return;
    this.#pending += line;
    if (this.#pending.length >= BUFFER_CHARACTERS) this.#flush();
  }

  reopen(): Promise<void> {
    const reopened = this.#reopening.then(() => this.#replaceStream());
    this.#reopening = reopened.catch(() => undefined);
    return reopened;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reopening;
    this.#flush();
    this.#isClosed = true;
    await endStream(this.#stream);
  }

  async #replaceStream(): Promise<void> {
    if (this.#parts.open === undefined || this.#isClosed) return;
    const next = await this.#parts.open();
    // Lines of requests that are over belong to the file that whoever moved it is about to read.
    this.#flush();
    const last = this.#stream;
    this.#stream = next;
    await endStream(last);
  }

  #flush(): void {
    if (this.#pending === "") return;
    const text = this.#pending;
    this.#pending = "";
    const bytes: ByteStream = this.#stream;
    for (const piece of this.#parts.isShared ? wholeLines(text, PIPE_PIECE_BYTES) : [Buffer.from(text)])
      bytes.write(piece);
  }
}

function openStream(descriptor: number, isShared: boolean): LogStream {
  const stream = pino.destination({
    dest: descriptor,
    sync: false,
    maxLength: LONGEST_BACKLOG_BYTES,
    // In text mode the stream measures all that is buffered anew for each piece.
    contentMode: "buffer",
    ...(isShared && { maxWrite: PIPE_PIECE_BYTES }),
  });
  // A full disk must not stop the gateway: the lines are lost, as with nginx.
  stream.on("error", () => undefined);
  return stream;
}

/** Writes out what a stream has and closes it. */
async function endStream(stream: LogStream): Promise<void> {
  const closed = once(stream, "close");
  stream.end();
  await closed;
}

/** The stream would keep a file that it cannot open, and throw over it when the process ends: it gets a descriptor. */
async function openForAppending(path: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  return promisify(open)(path, "a");
}

/** Lines in pieces of at most that many bytes; a longer line is a piece of its own. */
export function wholeLines(text: string, maxBytes: number): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const limit = start + maxBytes;
    const lastEnd = limit >= bytes.length ? bytes.length - 1 : bytes.lastIndexOf(LINE_FEED, limit - 1);
    const end = lastEnd >= start ? lastEnd : bytes.indexOf(LINE_FEED, limit);
    const next = end < 0 ? bytes.length : end + 1;
    pieces.push(bytes.subarray(start, next));
    start = next;
  }
  return pieces;
}

const LINE_FEED = 0x0a;
