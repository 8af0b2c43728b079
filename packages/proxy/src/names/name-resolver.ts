/** One address behind a name. */
export interface NameRecord {
  /** Without brackets. */
  readonly address: string;
  /** Of an SRV record; absent or 0: the scheme's own. */
  readonly port?: number;
  /** Relative to the others; 1 without SRV. */
  readonly weight: number;
  /** Higher is used first, so the negative of an SRV record's. */
  readonly priority: number;
}

/** What is known of a name, and for how long. */
export interface NameAnswer {
  readonly records: readonly NameRecord[];
  /** Milliseconds; infinite for what does not change while the process runs. */
  readonly ttlMs: number;
}

/** Looks names up, each time anew. */
export interface NameResolver {
  /** The addresses of a host: IPv4, or IPv6 when there are none. Rejects when the name has none or nobody answers. */
  host(name: string): Promise<NameAnswer>;
  /** The instances of a service, by SRV records or else addresses. Rejects likewise; absent: no discovery by DNS. */
  service?(name: string): Promise<NameAnswer>;
}
