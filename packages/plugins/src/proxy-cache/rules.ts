import { type RequestContext, type ResponseContext, textOf } from "@fngate/plugin-kit";
import { type Directives, parseDirectives, parseVary, secondsOf } from "../shared/response-cache/cache-control.ts";
import type { CachedAnswer } from "../shared/response-cache/cache-store.ts";
import type { ProxyCacheConfig } from "./schema.ts";
import type { Zone } from "./zones.ts";

/** Variables that tell consumers apart on their own. */
const IDENTITIES: readonly string[] = ["$consumer_name", "$consumer_group_id", "$remote_user", "$http_authorization"];

/** The texts and the values of the `$variables`, joined. */
export function joinParts(parts: readonly string[], { variables }: RequestContext): string {
  return parts.map((part) => (part.startsWith("$") ? (textOf(variables.get(part.slice(1))) ?? "") : part)).join("");
}

/** What a request's answer is kept under. */
export function addressOf(config: ProxyCacheConfig, context: RequestContext): string {
  const key = joinParts(config.cache_key, context);
  if (!config.consumer_isolation || config.cache_key.some((part) => IDENTITIES.includes(part))) return key;
  const identity = context.consumer?.name ?? textOf(context.variables.get("remote_user"));
  // No name of a consumer holds this character, so no key can be made to look like another one's.
  return identity === undefined || identity === "" ? key : `${identity}\u0001${key}`;
}

/** Whether joined parts ask for something. */
export function isAsked(parts: readonly string[] | undefined, context: RequestContext): boolean {
  if (parts === undefined) return false;
  const text = joinParts(parts, context);
  return text !== "" && text !== "0";
}

/** How a kept answer may be used. */
export type Freshness = "HIT" | "EXPIRED" | "STALE";

/** Judges a kept answer by its age and, where they count, by the request's wishes (RFC 9111, 5.2.1). */
export function judge(answer: CachedAnswer, wishes: Directives | undefined, nowMs: number): Freshness {
  const ageSeconds = (nowMs - answer.storedAtMs) / 1000;
  const left = answer.ttlSeconds - ageSeconds;
  if (wishes === undefined) return left < 0 ? "EXPIRED" : "HIT";
  const maxAge = secondsOf(wishes, "max-age");
  const minFresh = secondsOf(wishes, "min-fresh");
  if ((maxAge !== undefined && ageSeconds > maxAge) || (minFresh !== undefined && left < minFresh)) return "STALE";
  if (left >= 0) return "HIT";
  const maxStale = secondsOf(wishes, "max-stale");
  return maxStale !== undefined && -left <= maxStale ? "HIT" : "EXPIRED";
}

/** How an answer may be kept. */
export interface Keeping {
  readonly ttlSeconds: number;
  readonly vary: readonly string[];
}

/** What {@link keepingOf} goes by. */
export interface KeepingRules {
  readonly config: ProxyCacheConfig;
  readonly zone: Zone;
  readonly nowMs: number;
}

/** Whether and how an answer may be kept, as far as its head tells. */
export function keepingOf({ config, nowMs, zone }: KeepingRules, context: ResponseContext): Keeping | undefined {
  const { request, response } = context;
  const { headers, source, status } = response;
  if (source === "gateway" || request.method === "HEAD" || !config.cache_http_status.includes(status)) return undefined;
  const directives = parseDirectives(headers.getAll("cache-control"));
  if (["private", "no-store", "no-cache"].some((name) => directives.has(name))) return undefined;
  const isCookieKept = config.cache_set_cookie && zone.directory === undefined;
  if (headers.has("set-cookie") && !isCookieKept) return undefined;
  const vary = parseVary(headers.getAll("vary"));
  const expiresInSeconds = secondsUntil(headers.getAll("expires").at(-1), nowMs);
  const ttlSeconds = lifetimeOf(config, zone, { directives, expiresInSeconds });
  if (vary === undefined || ttlSeconds <= 0 || isAsked(config.no_cache, context)) return undefined;
  return { ttlSeconds, vary };
}

interface Lifetime {
  readonly directives: Directives;
  readonly expiresInSeconds: number | undefined;
}

/** In memory the configuration decides, unless `cache_control` is on; on disk the answer does, else the zone. */
function lifetimeOf(config: ProxyCacheConfig, zone: Zone, { directives, expiresInSeconds }: Lifetime): number {
  const isInMemory = zone.directory === undefined;
  if (isInMemory && !config.cache_control) return config.cache_ttl;
  const own = secondsOf(directives, "s-maxage") ?? secondsOf(directives, "max-age") ?? expiresInSeconds;
  return own ?? (isInMemory ? 0 : zone.ttlSeconds);
}

/** A date that cannot be read is one in the past (RFC 9111, 5.3). */
function secondsUntil(date: string | undefined, nowMs: number): number | undefined {
  if (date === undefined) return undefined;
  const ms = Date.parse(date);
  return Number.isNaN(ms) ? 0 : (ms - nowMs) / 1000;
}
