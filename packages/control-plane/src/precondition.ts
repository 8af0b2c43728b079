import { GatewayError } from "@fngate/kernel";
import type { Revision } from "@fngate/store";

/** What a client asks to hold before its write: revisions out of `If-Match` (RFC 9110 section 13.1). */
export interface Precondition {
  /** Tells whether it holds for an object at a revision, or for none. */
  holds(current: Revision | undefined): boolean;
}

/** The entity tag of an object: its revision, which every write changes. */
export function entityTagOf(revision: Revision): string {
  return `"${revision}"`;
}

/**
 * Reads `If-Match`; undefined without one. `*` holds for any object that exists. Weak tags never match, and neither
 * does what is no tag of ours.
 */
export function parsePrecondition(ifMatch: string | undefined): Precondition | undefined {
  if (ifMatch === undefined) return undefined;
  const tags = ifMatch.split(",").map((tag) => tag.trim());
  return {
    holds: (current) => current !== undefined && (tags.includes("*") || tags.includes(entityTagOf(current))),
  };
}

/** Raises `RESOURCE_CHANGED` unless a precondition holds, or there is none. */
export function assertHolds(precondition: Precondition | undefined, current: Revision | undefined): void {
  if (precondition !== undefined && !precondition.holds(current)) throw changed();
}

/** Somebody else changed the object that a client meant to change. */
export function changed(cause?: unknown): GatewayError {
  return new GatewayError("RESOURCE_CHANGED", "the object has changed since it was read", { cause });
}
