import type { WindowOutcome, WindowRule } from "./counters.ts";

/** Where a moment lies in windows that are aligned to the epoch. */
export interface WindowPosition {
  /** Number of the window since the epoch. */
  readonly id: number;
  readonly remainingSeconds: number;
}

export function positionOf(nowMs: number, { windowSeconds }: WindowRule): WindowPosition {
  const seconds = nowMs / 1000;
  return { id: Math.floor(seconds / windowSeconds), remainingSeconds: windowSeconds - (seconds % windowSeconds) };
}

/** Events of the previous window that still count. */
export function carriedOver(previous: number, rule: WindowRule, remainingSeconds: number): number {
  return (Math.min(previous, rule.limit) / rule.windowSeconds) * remainingSeconds;
}

/** Whether one more event is within the limit. */
export function isWithinLimit(current: number, carried: number, { limit }: WindowRule): boolean {
  return current < limit && current + carried < limit;
}

/** What is said of an event; `current` includes it when it was allowed. */
export function slidingOutcome(
  isAllowed: boolean,
  { current, previous }: { readonly current: number; readonly previous: number },
  { position, rule }: { readonly position: WindowPosition; readonly rule: WindowRule },
): WindowOutcome {
  const { remainingSeconds } = position;
  const carried = carriedOver(previous, rule, remainingSeconds);
  if (isAllowed) {
    const remaining = Math.max(Math.floor(rule.limit - current - carried), 0);
    return { isAllowed, remaining, resetSeconds: roundUp(remainingSeconds) };
  }
  const lastRate = Math.min(previous, rule.limit) / rule.windowSeconds;
  const isWindowFull = current >= rule.limit || lastRate === 0;
  const wait = isWindowFull ? remainingSeconds : remainingSeconds - (rule.limit - current) / lastRate;
  return { isAllowed, remaining: 0, resetSeconds: roundUp(Math.max(wait, 0)) };
}

function roundUp(seconds: number): number {
  return Math.ceil(seconds * 100) / 100;
}
