/**
 * Where a request goes and how the connection to it behaves: the vocabulary that plugins, the proxy and the
 * data plane share. A target is plain data; {@link Connections} turns it into something that can be called.
 */
export interface Target {
  readonly scheme: "http" | "https";
  /** Host name or address to connect to, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** HTTP version that is spoken; default 1.1. Version 2 is spoken from the first byte, without asking. */
  readonly version?: "2";
  readonly tls?: TargetTls;
  readonly keepalive: TargetKeepalive;
  readonly timeouts: TargetTimeouts;
}

/** TLS settings of an `https` target. */
export interface TargetTls {
  /** Name sent as SNI and checked against the certificate; default: the host. */
  readonly serverName?: string;
  /** Whether chain and name are verified. */
  readonly verify: boolean;
  /** PEM client certificate and key. */
  readonly cert?: string;
  readonly key?: string;
}

/** How connections outlive a request. */
export interface TargetKeepalive {
  /** Most idle connections kept; 0 closes each connection after its answer. Connections in use are not limited. */
  readonly idleConnections: number;
  /** How long a connection may idle, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Requests one connection carries before it is closed; absent: no limit. */
  readonly maxRequests?: number;
}

/** Inactivity limits in milliseconds: each bounds one wait, none bounds the whole exchange. */
export interface TargetTimeouts {
  readonly connectMs: number;
  readonly sendMs: number;
  readonly readMs: number;
}

/** A live, shared connection pool to one {@link Target}; opaque to all but the proxy. */
export interface Endpoint {
  readonly target: Target;
  /** Gives the pool up; the last user's release closes idle connections and lets running exchanges end. */
  release(): void;
}

/** Port through which compiled configuration gets its {@link Endpoint}s; equal targets share one pool. */
export interface Connections {
  acquire(target: Target): Endpoint;
}
