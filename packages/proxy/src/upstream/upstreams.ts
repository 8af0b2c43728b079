import { type Clock, type Connections, UsagePool } from "@fngate/kernel";
import { type CompiledUpstream, compileUpstream } from "./compile-upstream.ts";
import { UpstreamLoads } from "./node-load.ts";
import type { UpstreamConfig } from "./upstream-config.ts";

/** What an upstream is called wherever it is configured; versions of one upstream share what is known of its nodes. */
export interface UpstreamIdentity {
  /** Key of the stored object that holds it, `/apisix/upstreams/1` say. */
  readonly key: string;
}

/** What {@link createUpstreams} needs. */
export interface UpstreamsOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  /** Numbers in [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

/** Makes upstreams callable, and keeps what must outlive a version of the configuration. */
export interface Upstreams {
  /**
   * Compiles an upstream object.
   *
   * @param identity absent for one that is stored nowhere: it shares nothing with other versions
   * @throws GatewayError `UPSTREAM_INVALID` for an upstream that cannot be called
   */
  compile(config: UpstreamConfig, identity?: UpstreamIdentity): CompiledUpstream;
}

/** Creates the upstreams of a process. */
export function createUpstreams(options: UpstreamsOptions): Upstreams {
  return new SharedUpstreams(options);
}

class SharedUpstreams implements Upstreams {
  readonly #options: UpstreamsOptions;
  readonly #loads = new UsagePool<string, UpstreamLoads>(() => undefined);

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  compile(config: UpstreamConfig, identity?: UpstreamIdentity): CompiledUpstream {
    const { clock, connections, random } = this.#options;
    return compileUpstream(config, connections, {
      monotonicMs: () => clock.monotonicMs(),
      ...(random && { random }),
      ...(identity && { acquireLoads: () => this.#loads.acquire(identity.key, () => new UpstreamLoads()) }),
    });
  }
}
