import type { AttemptFailure, AttemptOutcome } from "../exchange.ts";

/** Status for a client that went away before its answer; it is logged, never sent (nginx). */
export const CLIENT_CLOSED_REQUEST = 499;

/** The client's status for an attempt without answer (APISIX: nginx's proxy errors). */
const STATUS_BY_REASON: Readonly<Record<AttemptFailure["reason"], number>> = {
  refused: 502,
  unresolved: 503,
  "connect-timeout": 504,
  tls: 502,
  reset: 502,
  timeout: 504,
  "bad-response": 502,
  "request-body": CLIENT_CLOSED_REQUEST,
  "invalid-request": 502,
};

/** Failures another node may not share. A malformed answer is final, as is a request that cannot be sent. */
const IS_RETRIED: Readonly<Record<AttemptFailure["reason"], boolean>> = {
  refused: true,
  unresolved: true,
  "connect-timeout": true,
  tls: true,
  reset: true,
  timeout: true,
  "bad-response": false,
  "request-body": false,
  "invalid-request": false,
};

/** Methods that may change something twice: sent again only if nothing of the first went out (nginx). */
const NOT_IDEMPOTENT: ReadonlySet<string> = new Set(["POST", "PATCH", "LOCK"]);

/** The status an outcome stands for: what was answered, or what the failure means to the client. */
export function statusOf(outcome: AttemptOutcome): number {
  switch (outcome.kind) {
    case "responded":
    case "truncated":
      return outcome.status;
    case "cancelled":
      return CLIENT_CLOSED_REQUEST;
    case "failed":
      return STATUS_BY_REASON[outcome.failure.reason];
  }
}

/** Tells whether a failed attempt may be followed by another, the body allowing. */
export function isRetried(failure: AttemptFailure, method: string): boolean {
  return IS_RETRIED[failure.reason] && (failure.isUnsent || !NOT_IDEMPOTENT.has(method));
}

/** Tells whether a method is never sent again once the upstream may have seen it. */
export function isIdempotent(method: string): boolean {
  return !NOT_IDEMPOTENT.has(method);
}
