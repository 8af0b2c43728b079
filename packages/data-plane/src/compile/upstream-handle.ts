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

/**
 * An upstream that can be called, and the variants of it that requests needed so far. They end with it: what is known
 * of an upstream that is gone would else be kept, and its nodes be probed, as long as a route that named it lives.
 */
export class UpstreamHandle {
  readonly compiled: CompiledUpstream;
  readonly #config: UpstreamConfig;
  /** Absent for one that is stored nowhere, as inside a plugin's configuration. */
  readonly #identity: UpstreamIdentity | undefined;
  readonly #compile: UpstreamCompiler;
  /** By timeout; all have the one certificate. */
  #variants: Map<string, CompiledUpstream> | undefined;
  #certificate: TlsKeyPair | undefined;
  #isRetired = false;

  /** Raises what `compile` raises. */
  constructor(config: UpstreamConfig, identity: UpstreamIdentity | undefined, compile: UpstreamCompiler) {
    this.compiled = compile(config, identity);
    this.#config = config;
    this.#identity = identity;
    this.#compile = compile;
    this.#variants = undefined;
    this.#certificate = undefined;
  }

  /** The `ssl` object whose certificate its nodes are shown. */
  get certificateId(): string | undefined {
    const id = this.#config.tls?.client_cert_id;
    return id === undefined ? undefined : String(id);
  }

  /** The upstream in a variant; itself where nothing differs. */
  in({ certificate, timeout }: UpstreamVariant): CompiledUpstream {
    if (certificate === undefined && timeout === undefined) return this.compiled;
    if (certificate !== this.#certificate) this.#dropVariants();
    this.#certificate = certificate;
    this.#variants ??= new Map();
    const key = timeout === undefined ? "" : `${timeout.connect} ${timeout.send} ${timeout.read}`;
    let variant = this.#variants.get(key);
    if (variant === undefined) {
      variant = this.#compile(varied(this.#config, { certificate, timeout }), this.#identity);
      // A request that began before may need it still.
      if (this.#isRetired) variant.retire();
      if (this.#variants.size >= MOST_VARIANTS) this.#dropOldest(this.#variants);
      this.#variants.set(key, variant);
    }
    return variant;
  }

  /** No request will choose it any more: its nodes are probed no longer. */
  retire(): void {
    this.#isRetired = true;
    for (const variant of this.#variants?.values() ?? []) variant.retire();
    this.compiled.retire();
  }

  /** Gives back its connections. Requests in flight keep theirs: only the claim on idle ones is given up. */
  dispose(): void {
    this.#dropVariants();
    this.compiled.dispose();
  }

  #dropVariants(): void {
    for (const variant of this.#variants?.values() ?? []) variant.dispose();
    this.#variants = undefined;
  }

  #dropOldest(variants: Map<string, CompiledUpstream>): void {
    const [oldest] = variants;
    if (oldest === undefined) return;
    variants.delete(oldest[0]);
    oldest[1].dispose();
  }
}

function varied(config: UpstreamConfig, { certificate, timeout }: UpstreamVariant): UpstreamConfig {
  return {
    ...config,
    ...(timeout && { timeout }),
    ...(certificate && { tls: { ...config.tls, client_cert: certificate.cert, client_key: certificate.key } }),
  };
}
