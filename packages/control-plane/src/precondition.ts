import { GatewayError } from "@fngate/kernel";
import type { Revision } from "@fngate/store";

/** What a client asks to hold before its write: `If-Match` and `If-None-Match` (RFC 9110 section 13.1). */
export interface Precondition {
  /** Tells whether it holds for an object at a revision, or for none. */
  holds(current: Revision | undefined): boolean;
}

/** The entity tag of an object: its revision, which every write changes. */
export function entityTagOf(revision: Revision): string {
  return `"${revision}"`;
}

/**
 * Reads `If-Match` and `If-None-Match`; undefined without either. `*` stands for any object that exists. Weak tags never
 * match, and neither does what is no tag of ours.
 */
export function parsePrecondition(headers: {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}): Precondition | undefined {
  const [wanted, unwanted] = [tagsOf(headers.ifMatch), tagsOf(headers.ifNoneMatch)];
  if (wanted === undefined && unwanted === undefined) return undefined;
  return {
    holds: (current) =>
      (wanted === undefined || isAmong(wanted, current)) && (unwanted === undefined || !isAmong(unwanted, current)),
  };
}

function tagsOf(header: string | undefined): readonly string[] | undefined {
  return header?.split(",").map((tag) => tag.trim());
}

function isAmong(tags: readonly string[], current: Revision | undefined): boolean {
  return current !== undefined && (tags.includes("*") || tags.includes(entityTagOf(current)));
}

/** Raises `RESOURCE_CHANGED` unless a precondition holds, or there is none. */
export function assertHolds(precondition: Precondition | undefined, current: Revision | undefined): void {
  if (precondition !== undefined && !precondition.holds(current)) throw changed();
}

/** Somebody else changed the object that a client meant to change. */
export function changed(cause?: unknown): GatewayError {
  return new GatewayError("RESOURCE_CHANGED", "the object has changed since it was read", { cause });
}
