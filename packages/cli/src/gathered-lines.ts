import { PIPE_PIECE_BYTES, wholeLines } from "./access-log-file.ts";

/** Most characters that wait for what is running to end. */
const MOST_CHARACTERS = 65_536;

/** Lines on their way to a descriptor. */
export interface GatheredLines {
  write(line: string): void;
  /** Writes out what waits. */
  flush(): void;
}

/**
 * Gathers what is logged while one event is handled and writes it when that is done: answers go out before the lines
 * about them, and many lines at once cost one system call. Nothing is lost when the process ends by itself, by
 * `process.exit` or by an error; whoever kills it outright may lose the lines of that one event.
 */
export function gatherLines(write: (text: Buffer) => void): GatheredLines {
  let waiting = "";
  const flush = (): void => {
    const text = waiting;
    waiting = "";
    // Workers share the stream of their primary, and lines of one must not end up inside lines of another.
    for (const piece of text === "" ? [] : wholeLines(text, PIPE_PIECE_BYTES)) write(piece);
  };
  process.once("exit", flush);
  return {
    flush,
    write: (line) => {
      if (waiting === "") setImmediate(flush);
      waiting += line;
      if (waiting.length >= MOST_CHARACTERS) flush();
    },
  };
}
