import { compilePatterns } from "../shared/patterns.ts";

/** What `Access-Control-Allow-Origin` says to a request's `Origin`, which may be absent; nothing when it is refused. */
export type OriginRule = (origin: string | undefined) => string | undefined;

/** A rule for an `allow_origins` text (APISIX: cors). */
export function compileOrigins(allowed: string): OriginRule {
  if (allowed === "*") return () => "*";
  if (allowed === "**") return (origin) => origin ?? "*";
  const origins = new Set(allowed.split(","));
  return (origin) => (origin !== undefined && origins.has(origin) ? origin : undefined);
}

/** A rule for origins that one of the regular expressions occurs in. */
export function compileOriginPatterns(patterns: readonly string[]): OriginRule {
  const isAllowed = compilePatterns(patterns);
  return (origin) => (origin !== undefined && isAllowed(origin) ? origin : undefined);
}
