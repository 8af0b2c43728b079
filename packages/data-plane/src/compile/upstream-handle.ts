import type { CompiledUpstream, UpstreamConfig, UpstreamIdentity } from "@fngate/proxy";
import type { RouteTimeout, TlsKeyPair } from "./snapshot.ts";

/** Makes a stored upstream callable; throws `UPSTREAM_INVALID` for one that cannot be. */
export type UpstreamCompiler = (config: UpstreamConfig, identity: UpstreamIdentity | undefined) => CompiledUpstream;

/** What requests call an upstream with that is stored elsewhere. */
export interface UpstreamVariant {
  /** A route's own, in place of the upstream's. */
  readonly timeout: RouteTimeout | undefined;
  /** Of the `ssl` object that the upstream names. */
  readonly certificate: TlsKeyPair | undefined;
}

/** Routes choose the timeouts, so the variants kept are bounded; the oldest goes first. */
const MOST_VARIANTS = 64;

/** The upstream as it is stored. */
export const AS_STORED: UpstreamVariant = Object.freeze({ timeout: undefined, certificate: undefined });

/** One way in which an upstream is called. */
interface Built {
  readonly variant: UpstreamVariant;
  readonly compiled: CompiledUpstream;
}

/**
 * An upstream, and what requests needed it compiled for so far: most of 100,000 are never asked for. What was compiled
 * ends with it: what is known of an upstream that is gone would else be kept, and its nodes be probed, as long as a
 * route that named it lives.
 */
export class UpstreamHandle {
  readonly #config: UpstreamConfig;
  /** Key of the object that holds it; absent for one that is stored nowhere, as inside a plugin's configuration. */
  readonly #key: string | undefined;
  readonly #compile: UpstreamCompiler;
  /** By timeout; all have the one certificate. */
  #built: Map<string, Built> | undefined;
  #isRetired = false;

  /** Raises what `compile` raises. */
  constructor(config: UpstreamConfig, key: string | undefined, compile: UpstreamCompiler) {
    this.#config = config;
    this.#key = key;
    this.#compile = compile;
    this.#built = undefined;
    const compiled = compile(config, this.#identity);
    // Those with checks are listed from the start (APISIX: Control API `/v1/healthcheck`).
    if (config.checks === undefined) compiled.dispose();
    else this.#built = new Map([[keyOf(AS_STORED), { variant: AS_STORED, compiled }]]);
  }

  /** The `ssl` object whose certificate its nodes are shown. */
  get certificateId(): string | undefined {
    const id = this.#config.tls?.client_cert_id;
    return id === undefined ? undefined : String(id);
  }

  /** The upstream ready to be called. */
  in(variant: UpstreamVariant): CompiledUpstream {
    const key = keyOf(variant);
    const known = this.#built?.get(key);
    if (known !== undefined && known.variant.certificate === variant.certificate) return known.compiled;
    const compiled = this.#compile(varied(this.#config, variant), this.#identity);
    // A request that began before may need it still.
    if (this.#isRetired) compiled.retire();
    this.#keep(key, { variant, compiled });
    // Requests in flight keep their connections: disposing only gives up the claim on idle ones.
    known?.compiled.dispose();
    return compiled;
  }

  /** Compiles what was in use of the version before this one, whose connections and counts are taken over so. */
  follow(previous: UpstreamHandle): void {
    for (const { variant } of previous.#built?.values() ?? []) this.in(variant);
  }

  /** No request will choose it any more: its nodes are probed no longer. */
  retire(): void {
    this.#isRetired = true;
    for (const { compiled } of this.#built?.values() ?? []) compiled.retire();
  }

  /** Gives back its connections. */
  dispose(): void {
    for (const { compiled } of this.#built?.values() ?? []) compiled.dispose();
    this.#built = undefined;
  }

  get #identity(): UpstreamIdentity | undefined {
    return this.#key === undefined ? undefined : { key: this.#key };
  }

  #keep(key: string, built: Built): void {
    this.#built ??= new Map();
    const [oldest] = this.#built;
    if (this.#built.size >= MOST_VARIANTS && oldest !== undefined && !this.#built.has(key)) {
      this.#built.delete(oldest[0]);
      oldest[1].compiled.dispose();
    }
    this.#built.set(key, built);
  }
}

function keyOf({ timeout }: UpstreamVariant): string {
  return timeout === undefined ? "" : `${timeout.connect} ${timeout.send} ${timeout.read}`;
}

function varied(config: UpstreamConfig, { certificate, timeout }: UpstreamVariant): UpstreamConfig {
  if (timeout === undefined && certificate === undefined) return config;
  return {
    ...config,
    ...(timeout && { timeout }),
    ...(certificate && { tls: { ...config.tls, client_cert: certificate.cert, client_key: certificate.key } }),
  };
}
