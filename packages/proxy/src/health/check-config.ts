/** `upstream.checks` as on the wire (APISIX: health check). */
export interface ChecksConfig {
  readonly active?: ActiveConfig | undefined;
  readonly passive?: PassiveConfig | undefined;
}

type CheckType = "http" | "https" | "tcp";

export interface ActiveConfig {
  readonly type?: CheckType | undefined;
  /** Seconds. */
  readonly timeout?: number | undefined;
  /** Most probes at a time. */
  readonly concurrency?: number | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly http_method?: string | undefined;
  readonly http_path?: string | undefined;
  readonly http_req_body?: string | undefined;
  readonly https_verify_certificate?: boolean | undefined;
  /** `Name: value`. */
  readonly req_headers?: readonly string[] | undefined;
  readonly healthy?: (HealthyConfig & IntervalConfig) | undefined;
  readonly unhealthy?: (UnhealthyConfig & IntervalConfig) | undefined;
}

export interface PassiveConfig {
  readonly type?: CheckType | undefined;
  readonly healthy?: HealthyConfig | undefined;
  readonly unhealthy?: UnhealthyConfig | undefined;
}

interface IntervalConfig {
  /** Seconds. */
  readonly interval?: number | undefined;
}

interface HealthyConfig {
  readonly http_statuses?: readonly number[] | undefined;
  readonly successes?: number | undefined;
}

interface UnhealthyConfig {
  readonly http_statuses?: readonly number[] | undefined;
  readonly http_failures?: number | undefined;
  readonly tcp_failures?: number | undefined;
  readonly timeouts?: number | undefined;
}
