import type { Clock } from "@fngate/kernel";
import type { TextSink } from "../command-io.ts";

/** Tells somebody who waits how far a long piece of work is. */
export interface Progress {
  show(done: number): void;
  end(): void;
}

/** What a {@link Progress} writes, and how often in milliseconds: a terminal's line is written over, others get longer. */
const TERMINAL_MS = 100;
const LOG_MS = 5_000;

/** Creates a {@link Progress} that is silent until its first interval has passed. */
export function createProgress(work: {
  readonly total: number;
  readonly sink: TextSink;
  readonly clock: Clock;
}): Progress {
  const { total, sink, clock } = work;
  const isTerminal = sink.isTTY === true;
  const intervalMs = isTerminal ? TERMINAL_MS : LOG_MS;
  let lastMs = clock.monotonicMs();
  let isShown = false;
  return {
    show: (done) => {
      const nowMs = clock.monotonicMs();
      if (nowMs - lastMs < intervalMs) return;
      lastMs = nowMs;
      isShown = true;
      sink.write(isTerminal ? `\r${done} of ${total} changes` : `${done} of ${total} changes\n`);
    },
    end: () => {
      if (isShown && isTerminal) sink.write("\n");
    },
  };
}
