import type { ActiveConfig, ChecksConfig } from "./check-config.ts";
import type { FailureKind } from "./node-health.ts";

/** What statuses mean and how many observations change a node's state. */
export interface CheckLimits {
  readonly healthyStatuses: ReadonlySet<number>;
  readonly unhealthyStatuses: ReadonlySet<number>;
  readonly successes: number;
  readonly failures: Readonly<Record<FailureKind, number>>;
}

/** How a node is asked. */
export interface ProbeSettings {
  readonly type: "http" | "https" | "tcp";
  readonly timeoutMs: number;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Flat `[name, value, …]`. */
  readonly headers: readonly string[];
  readonly isVerified: boolean;
}

/** A compiled `upstream.checks`. */
export interface CheckSettings {
  /** Shown in the Control API. */
  readonly type: "http" | "https" | "tcp";
  readonly probe: ProbeSettings;
  readonly concurrency: number;
  /** Milliseconds between two rounds over nodes that are up, and over those that are down; 0: no rounds. */
  readonly intervalMs: { readonly up: number; readonly down: number };
  readonly active: CheckLimits;
  readonly passive: CheckLimits;
  /** Whether final answers of requests count; failures that a retry follows always do. */
  readonly isPassiveOn: boolean;
  /** Equal for equal settings. */
  readonly fingerprint: string;
}

const ACTIVE = {
  statuses: { healthy: [200, 302], unhealthy: [429, 404, 500, 501, 502, 503, 504, 505] },
  successes: 2,
  failures: { http: 5, tcp: 2, timeout: 3 },
};

const PASSIVE = {
  statuses: {
    healthy: [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308],
    unhealthy: [429, 500, 503],
  },
  successes: 5,
  failures: { http: 5, tcp: 2, timeout: 7 },
};

const DEFAULT_TIMEOUT_SECONDS = 1;
const DEFAULT_INTERVAL_SECONDS = 1;
const DEFAULT_CONCURRENCY = 10;

/**
 * Compiles `upstream.checks`. An absent `active.healthy` or `active.unhealthy` means that nodes in that state are not
 * probed at all (APISIX: the interval's default applies within an object that is there).
 */
export function compileChecks(checks: ChecksConfig): CheckSettings {
  const { active = {}, passive } = checks;
  return {
    type: active.type ?? passive?.type ?? "http",
    probe: probeSettings(active),
    concurrency: Math.max(1, active.concurrency ?? DEFAULT_CONCURRENCY),
    intervalMs: { up: intervalMs(active.healthy), down: intervalMs(active.unhealthy) },
    active: limitsOf(active, ACTIVE),
    passive: passive === undefined ? limitsOf({}, PASSIVE) : onlyWhatIsThere(passive),
    isPassiveOn: passive !== undefined,
    fingerprint: JSON.stringify(checks),
  };
}

function probeSettings(active: ActiveConfig): ProbeSettings {
  return {
    type: active.type ?? "http",
    timeoutMs: (active.timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    method: active.http_method ?? "GET",
    path: active.http_path ?? "/",
    body: active.http_req_body ?? "",
    headers: (active.req_headers ?? []).flatMap(parseField),
    isVerified: active.https_verify_certificate ?? true,
  };
}

/** Name and value of `Name: value`; nothing for a text that is no field. */
function parseField(text: string): string[] {
  const colon = text.indexOf(":");
  return colon <= 0 ? [] : [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

function intervalMs(part: { readonly interval?: number | undefined } | undefined): number {
  return part === undefined ? 0 : (part.interval ?? DEFAULT_INTERVAL_SECONDS) * 1000;
}

type Defaults = typeof ACTIVE;

function limitsOf({ healthy, unhealthy }: ChecksPart, defaults: Defaults): CheckLimits {
  return {
    healthyStatuses: new Set(healthy?.http_statuses ?? defaults.statuses.healthy),
    unhealthyStatuses: new Set(unhealthy?.http_statuses ?? defaults.statuses.unhealthy),
    successes: healthy?.successes ?? defaults.successes,
    failures: {
      http: unhealthy?.http_failures ?? defaults.failures.http,
      tcp: unhealthy?.tcp_failures ?? defaults.failures.tcp,
      timeout: unhealthy?.timeouts ?? defaults.failures.timeout,
    },
  };
}

type ChecksPart = Pick<NonNullable<ChecksConfig["passive"]>, "healthy" | "unhealthy">;

/** For passive checks an absent object means that no status is of that kind. */
function onlyWhatIsThere(passive: ChecksPart): CheckLimits {
  const limits = limitsOf(passive, PASSIVE);
  return {
    ...limits,
    healthyStatuses: passive.healthy === undefined ? new Set() : limits.healthyStatuses,
    unhealthyStatuses: passive.unhealthy === undefined ? new Set() : limits.unhealthyStatuses,
  };
}
