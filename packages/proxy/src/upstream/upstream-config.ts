import type { ChecksConfig } from "../health/check-config.ts";

/**
 * The fields of an APISIX upstream object that forwarding reads, as on the wire (APISIX: upstream Admin API).
 * A validated `upstream` resource satisfies it; defaults are applied when it is compiled.
 */
export interface UpstreamConfig {
  /** `{"host:port": weight}` or a list. */
  readonly nodes?: Readonly<Record<string, number>> | readonly UpstreamNodeConfig[] | undefined;
  /** In place of `nodes`: `name` or `name:port`. */
  readonly service_name?: string | undefined;
  /** How `service_name` is found. */
  readonly discovery_type?: string | undefined;
  /** Default: `roundrobin`. */
  readonly type?: string | undefined;
  /** What `chash` hashes; default `vars`. */
  readonly hash_on?: string | undefined;
  /** The variable, field, cookie or template that `hash_on` speaks of. */
  readonly key?: string | undefined;
  readonly checks?: ChecksConfig | undefined;
  /** Default: `http`. */
  readonly scheme?: string | undefined;
  /** Default: `pass`. */
  readonly pass_host?: "pass" | "node" | "rewrite" | undefined;
  readonly upstream_host?: string | undefined;
  /** Extra attempts; default: number of nodes minus one. */
  readonly retries?: number | undefined;
  /** Seconds after which no further attempt starts; default 0: no limit. */
  readonly retry_timeout?: number | undefined;
  /** Seconds; default 60 each. */
  readonly timeout?: { readonly connect: number; readonly send: number; readonly read: number } | undefined;
  /** Default: 320 idle connections, 60 seconds, 1000 requests. */
  readonly keepalive_pool?:
    | {
        readonly size?: number | undefined;
        readonly idle_timeout?: number | undefined;
        readonly requests?: number | undefined;
      }
    | undefined;
  readonly tls?:
    | {
        readonly client_cert?: string | undefined;
        readonly client_key?: string | undefined;
        /** An `ssl` object with the pair; not followed here: whoever compiles puts the pair in its place. */
        readonly client_cert_id?: string | number | undefined;
        /** Default false: APISIX never verifies an https upstream. True verifies chain and name here. */
        readonly verify?: boolean | undefined;
      }
    | undefined;
}

/** One node in list form. */
export interface UpstreamNodeConfig {
  readonly host: string;
  readonly port?: number | undefined;
  readonly weight: number;
  /** Higher groups are used up first; default 0. */
  readonly priority?: number | undefined;
}
