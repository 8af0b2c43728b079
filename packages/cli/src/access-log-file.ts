import { once } from "node:events";
import { open } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";

/** Access-log lines on their way to a file. */
export interface AccessLogFile {
  write(line: string): void;
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
  const isShared = streamDescriptor !== undefined;
  const stream = pino.destination({
    dest: streamDescriptor ?? (await openForAppending(path)),
    sync: false,
    maxLength: LONGEST_BACKLOG_BYTES,
    // In text mode the stream measures all that is buffered anew for each piece.
    contentMode: "buffer",
    ...(isShared && { maxWrite: PIPE_PIECE_BYTES }),
  });
  // A full disk must not stop the gateway: the lines are lost, as with nginx.
  stream.on("error", () => undefined);
  const bytes: ByteStream = stream;
  let isClosed = false;
  let pending = "";
  const flush = (): void => {
    if (pending === "") return;
    const text = pending;
    pending = "";
    for (const piece of isShared ? wholeLines(text, PIPE_PIECE_BYTES) : [Buffer.from(text)]) bytes.write(piece);
  };
  const timer = setInterval(flush, FLUSH_INTERVAL_MS);
  timer.unref();
  return {
    // The stream throws once it is destroyed, and a late line is not worth the process.
    write: (line) => {
      if (isClosed) return;
      pending += line;
      if (pending.length >= BUFFER_CHARACTERS) flush();
    },
    close: async () => {
      flush();
      isClosed = true;
      clearInterval(timer);
      const closed = once(stream, "close");
      stream.end();
      await closed;
    },
  };
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
