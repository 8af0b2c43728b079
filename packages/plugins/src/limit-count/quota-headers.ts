import type { WindowOutcome } from "../shared/limiter/counters.ts";
import type { LimitCountMetadata } from "./metadata.ts";
import type { AppliedRule } from "./rules.ts";

const DEFAULT_NAMES: LimitCountMetadata = {
  limit_header: "X-RateLimit-Limit",
  remaining_header: "X-RateLimit-Remaining",
  reset_header: "X-RateLimit-Reset",
};

/** The fields that tell a quota, flat `[name, value, ...]`; names come from the plugin's metadata. */
export function quotaHeaders(
  { headerPrefix, limit }: AppliedRule,
  { remaining, resetSeconds }: WindowOutcome,
  names: LimitCountMetadata = DEFAULT_NAMES,
): string[] {
  const named = (name: string): string =>
    headerPrefix === undefined ? name : name.replace("RateLimit-", `${headerPrefix}-RateLimit-`);
  return [
    named(names.limit_header),
    String(limit),
    named(names.remaining_header),
    String(remaining),
    named(names.reset_header),
    String(Math.floor(resetSeconds * 100) / 100),
  ];
}
