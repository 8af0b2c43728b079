import { once } from "node:events";
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

/** The stream in its byte mode, which its types leave out. */
interface ByteStream {
  write(bytes: string | Uint8Array): boolean;
}

/** Opens an access log for appending; makes its directory. Rejects when the file cannot be opened. */
export async function openAccessLogFile(path: string): Promise<AccessLogFile> {
  const stream = pino.destination({
    dest: STREAM_DESCRIPTORS.get(path) ?? path,
    sync: false,
    mkdir: true,
    maxLength: LONGEST_BACKLOG_BYTES,
    // In text mode the stream measures all that is buffered anew for each piece.
    contentMode: "buffer",
  });
  if (!STREAM_DESCRIPTORS.has(path)) await once(stream, "ready");
  // A full disk must not stop the gateway: the lines are lost, as with nginx.
  stream.on("error", () => undefined);
  const bytes: ByteStream = stream;
  let isClosed = false;
  let pending = "";
  const flush = (): void => {
    if (pending === "") return;
    const text = pending;
    pending = "";
    bytes.write(Buffer.from(text));
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
