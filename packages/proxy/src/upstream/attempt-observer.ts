import type { AttemptOutcome } from "../exchange.ts";
import type { UpstreamNode } from "./upstream-node.ts";

/** How an attempt ended. */
export interface AttemptEnd {
  readonly outcome: AttemptOutcome;
  /** Milliseconds from the start of the attempt. */
  readonly tookMs: number;
  /** False when another attempt follows. */
  readonly isFinal: boolean;
}

/** Told of every attempt on a node of an upstream, each end once. */
export interface AttemptObserver {
  onStart(node: UpstreamNode): void;
  onEnd(node: UpstreamNode, end: AttemptEnd): void;
}

/** Keeps the nodes' loads for balancers that go by them. */
export function loadObserver(monotonicMs: () => number): AttemptObserver {
  return {
    onStart: ({ load }) => {
      load.inFlight += 1;
    },
    onEnd: ({ load }, { outcome, tookMs }) => {
      load.inFlight -= 1;
      if (saysHowFast(outcome)) load.observe(tookMs, monotonicMs());
    },
  };
}

/** A refusal is fast, and no sign of a fast node. */
function saysHowFast(outcome: AttemptOutcome): boolean {
  if (outcome.kind !== "failed") return outcome.kind === "responded";
  return outcome.failure.reason === "timeout" || outcome.failure.reason === "connect-timeout";
}

/** One observer out of several; nothing when there are none, so that plain upstreams pay nothing. */
export function combineObservers(...observers: readonly (AttemptObserver | undefined)[]): AttemptObserver | undefined {
  const present = observers.filter((observer) => observer !== undefined);
  if (present.length <= 1) return present[0];
  return {
    onStart: (node) => {
      for (const observer of present) observer.onStart(node);
    },
    onEnd: (node, end) => {
      for (const observer of present) observer.onEnd(node, end);
    },
  };
}
