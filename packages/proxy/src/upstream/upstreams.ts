import { createSecureContext, type SecureContext } from "node:tls";
import {
  type Clock,
  type Connections,
  type Logger,
  silentLogger,
  type TargetKeepalive,
  type Usage,
  UsagePool,
} from "@fngate/kernel";
import { HealthChecker } from "../health/health-checker.ts";
import type { HealthCounters, HealthState } from "../health/node-health.ts";
import { createProbe, type Probe } from "../health/probe.ts";
import { trustedCertificates } from "../http/trusted-certificates.ts";
import { CachedName, type NameQuestion } from "../names/name-cache.ts";
import type { NameResolver } from "../names/name-resolver.ts";
import { compileUpstream } from "./compile-upstream.ts";
import type { CompiledUpstream } from "./compiled-upstream.ts";
import { UpstreamLoads } from "./node-load.ts";
import type { UpstreamConfig } from "./upstream-config.ts";

/** What an upstream is called wherever it is configured; versions of one upstream share what is known of its nodes. */
export interface UpstreamIdentity {
  /**
   * Key of the stored object that holds it, `/apisix/upstreams/1` say; an upstream inside a plugin adds where in the
   * object it is, so that no two upstreams have one key.
   */
  readonly key: string;
}

/** What {@link createUpstreams} needs. */
export interface UpstreamsOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /** Numbers in [0, 1); default `Math.random`. */
  readonly random?: () => number;
  /** PEM certificates that probes trust beside Node's own and the system's. */
  readonly caCertificates?: readonly string[];
  /** What holds for upstreams without `keepalive_pool`; default: 320 connections, 60 seconds, 1000 requests. */
  readonly keepalive?: TargetKeepalive;
  /** False: `checks` are not acted on (APISIX: `disable_upstream_healthcheck`); default true. */
  readonly areChecksEnabled?: boolean;
  /**
   * Resolves names of nodes, and finds services when it can; default: names are left to the connections, and there are
   * no services.
   */
  readonly resolver?: NameResolver;
  /** Asks nodes how they do; default: over real sockets. */
  readonly probe?: Probe;
}

/** The health of a node, in the terms of APISIX's Control API. */
export interface NodeHealthReport {
  readonly ip: string;
  readonly port: number;
  /** `checks.active.host`, else the address. */
  readonly hostname: string;
  readonly status: HealthState;
  readonly counter: HealthCounters;
}

/** The health of an upstream's nodes (APISIX: Control API `/v1/healthcheck`). */
export interface UpstreamHealthReport {
  /** {@link UpstreamIdentity.key}. */
  readonly name: string;
  readonly type: "http" | "https" | "tcp";
  /** In the order of the configuration; empty before the first request to the upstream. */
  readonly nodes: readonly NodeHealthReport[];
}

/** Makes upstreams callable, and keeps what must outlive a version of the configuration. */
export interface Upstreams {
  /**
   * Compiles an upstream object.
   *
   * @param identity absent for one that is stored nowhere: it shares health with its equals and load with nobody
   * @throws GatewayError `UPSTREAM_INVALID` for an upstream that cannot be called
   */
  compile(config: UpstreamConfig, identity?: UpstreamIdentity): CompiledUpstream;
  /** The upstreams with `checks` and the health of their nodes. */
  listHealth(): readonly UpstreamHealthReport[];
  /** Ends all probing. */
  close(): void;
}

/** Creates the upstreams of a process. */
export function createUpstreams(options: UpstreamsOptions): Upstreams {
  return new SharedUpstreams(options);
}

/** Begins the keys of upstreams that have no identity; no key in a store does. */
const ANONYMOUS = "anonymous ";

class SharedUpstreams implements Upstreams {
  readonly #options: UpstreamsOptions;
  readonly #probe: Probe;
  readonly #loads = new UsagePool<string, UpstreamLoads>(() => undefined);
  readonly #checkers = new UsagePool<string, HealthChecker>((checker) => checker.close());
  readonly #names = new UsagePool<string, CachedName>(() => undefined);
  #secureContext: SecureContext | undefined;

  constructor(options: UpstreamsOptions) {
    this.#options = options;
    this.#probe = options.probe ?? createProbe(() => this.#trusted());
  }

  compile(config: UpstreamConfig, identity?: UpstreamIdentity): CompiledUpstream {
    const { areChecksEnabled = true, clock, connections, keepalive, random } = this.#options;
    const key = identity?.key ?? (config.checks && `${ANONYMOUS}${JSON.stringify(config)}`);
    return compileUpstream(config, connections, {
      monotonicMs: () => clock.monotonicMs(),
      ...(random && { random }),
      ...(keepalive && { keepalive }),
      ...(key !== undefined && { acquireLoads: () => this.#loads.acquire(key, () => new UpstreamLoads()) }),
      ...(this.#options.resolver && { acquireName: (question) => this.#acquireName(question) }),
      isDiscoveryOn: this.#options.resolver?.service !== undefined,
      ...(key !== undefined && areChecksEnabled && { acquireChecker: () => this.#acquireChecker(key) }),
    });
  }

  listHealth(): readonly UpstreamHealthReport[] {
    const isListed = ({ isInForce, name }: HealthChecker): boolean => isInForce && !name.startsWith(ANONYMOUS);
    const named = [...this.#checkers.values()].filter(isListed);
    return named.map((checker) => ({
      name: checker.name,
      type: checker.type,
      nodes: checker.list().map(({ target: { ip, port, hostname }, health }) => ({
        ip,
        port,
        hostname,
        status: health.state,
        counter: health.counters,
      })),
    }));
  }

  close(): void {
    for (const checker of this.#checkers.values()) checker.close();
  }

  #acquireName(question: NameQuestion): Usage<CachedName> {
    const { clock, logger = silentLogger, resolver } = this.#options;
    const create = (): CachedName => {
      if (resolver === undefined) throw new Error("names are left to the connections");
      return new CachedName(question, { clock, logger, resolver });
    };
    return this.#names.acquire(`${question.kind} ${question.name}`, create);
  }

  #acquireChecker(key: string) {
    const { clock, logger = silentLogger } = this.#options;
    return this.#checkers.acquire(key, () => new HealthChecker(key, { clock, logger, probe: this.#probe }));
  }

  #trusted(): SecureContext {
    this.#secureContext ??= createSecureContext({ ca: trustedCertificates(this.#options.caCertificates ?? []) });
    return this.#secureContext;
  }
}
