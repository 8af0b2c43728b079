import { PIPE_PIECE_BYTES, wholeLines } from "./access-log-file.ts";

/** Most characters that wait for what is running to end. */
const MOST_CHARACTERS = 65_536;

/** Least time between two system calls, in milliseconds: each wakes whoever reads the log. */
const PAUSE_MS = 10;

/** Lines on their way to a descriptor. */
export interface GatheredLines {
  write(line: string): void;
  /** Writes out what waits. */
  flush(): void;
}

/**
 * Gathers what is logged while one event is handled and writes it when that is done: answers go out before the lines
 * about them, and many lines at once cost one system call. Under load lines wait for up to {@link PAUSE_MS}, so that
 * the log's reader is not woken by every line. Nothing is lost when the process ends by itself, by `process.exit` or by
 * an error; whoever kills it outright may lose the lines of that event or pause.
 */
export function gatherLines(write: (text: Buffer) => void): GatheredLines {
  let waiting = "";
  let pause: NodeJS.Timeout | undefined;
  const flush = (): void => {
    const text = waiting;
    waiting = "";
    // Workers share the stream of their primary, and lines of one must not end up inside lines of another.
    for (const piece of text === "" ? [] : wholeLines(text, PIPE_PIECE_BYTES)) write(piece);
  };
  const endPause = (): void => {
    pause = undefined;
    if (waiting !== "") flushAndPause();
  };
  const flushAndPause = (): void => {
    flush();
    pause ??= setTimeout(endPause, PAUSE_MS).unref();
  };
  process.once("exit", flush);
  return {
    flush,
    write: (line) => {
      if (waiting === "" && pause === undefined) setImmediate(flushAndPause);
      waiting += line;
      if (waiting.length >= MOST_CHARACTERS) flush();
    },
  };
}
