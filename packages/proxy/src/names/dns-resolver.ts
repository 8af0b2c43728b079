import { Resolver } from "node:dns/promises";
import { GatewayError } from "@fngate/kernel";
import type { NameAnswer, NameRecord, NameResolver } from "./name-resolver.ts";
import { spreadWeights } from "./spread-weights.ts";
import { type HostsFile, parseHosts, parseResolvConf, readIfThere } from "./system-files.ts";

/** Settings of {@link createDnsResolver}. */
export interface DnsResolverOptions {
  /** `address` or `address:port`; default: those of `resolv.conf`. */
  readonly servers?: readonly string[];
  /** Lifetime of answers in milliseconds in place of their own. */
  readonly validMs?: number;
  /** Longest wait for one server, milliseconds; default 5000. */
  readonly timeoutMs?: number;
  /** Whether the search domains of `resolv.conf` are tried; default true. */
  readonly isSearchOn?: boolean;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConfPath?: string;
  /** Default `/etc/hosts`; empty: none. */
  readonly hostsPath?: string;
  /** Record types of services in the order they are asked for; default SRV, A, AAAA. */
  readonly serviceOrder?: readonly string[];
}

const DEFAULT_TIMEOUT_MS = 5_000;
/** Node gives no lifetime of SRV records; that of their targets' addresses counts, and this where those have none. */
const SRV_TTL_MS = 10_000;
/** A server may forbid keeping an answer; without any keeping each request would ask. */
const SHORTEST_TTL_MS = 1_000;
const DEFAULT_ORDER = ["SRV", "A", "AAAA"];

/** Answers that mean "there is no such record", where the next kind or name is tried. */
const ABSENT: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA", "ENONAME", "EBADNAME"]);

/**
 * Creates a resolver over DNS: the hosts file first, read once, then the servers with the search domains of
 * `resolv.conf` (APISIX: upstream nodes, domain names; discovery by DNS).
 *
 * Its calls reject with `UPSTREAM_INVALID` for a name that has no address, and with Node's error when no server answers.
 */
export function createDnsResolver(options: DnsResolverOptions = {}): Required<NameResolver> {
  return new DnsResolver(options);
}

class DnsResolver implements Required<NameResolver> {
  readonly #resolver: Resolver;
  readonly #options: DnsResolverOptions;
  readonly #hosts: HostsFile;
  readonly #search: readonly string[];
  readonly #ndots: number;

  constructor(options: DnsResolverOptions) {
    const { hostsPath = "/etc/hosts", isSearchOn = true, resolvConfPath, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const conf = parseResolvConf(readIfThere(resolvConfPath ?? "/etc/resolv.conf"));
    this.#options = options;
    this.#hosts = hostsPath === "" ? new Map() : parseHosts(readIfThere(hostsPath));
    this.#search = isSearchOn ? conf.search : [];
    this.#ndots = conf.ndots;
    // The second try waits twice as long, so both together take what is allowed.
    this.#resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 3), tries: 2 });
    const servers = options.servers ?? (resolvConfPath === undefined ? [] : conf.servers);
    if (servers.length > 0) this.#resolver.setServers(servers);
  }

  async host(name: string): Promise<NameAnswer> {
    const fixed = this.#fixed(name);
    if (fixed !== undefined) return fixed;
    const answer = await this.#firstOf(name, ["A", "AAAA"]);
    return { ...answer, ttlMs: this.#lifetime(answer.ttlMs) };
  }

  async service(name: string): Promise<NameAnswer> {
    const order = this.#options.serviceOrder ?? DEFAULT_ORDER;
    const answer = await this.#firstOf(name, order);
    return { ...answer, ttlMs: this.#lifetime(answer.ttlMs) };
  }

  /** What the hosts file says; `localhost` needs no file (RFC 6761 section 6.3). */
  #fixed(name: string): NameAnswer | undefined {
    const lower = name.toLowerCase();
    const addresses = this.#hosts.get(lower) ?? (lower === "localhost" ? ["127.0.0.1"] : undefined);
    return addresses && { records: addresses.map(plainRecord), ttlMs: Number.POSITIVE_INFINITY };
  }

  #lifetime(ttlMs: number): number {
    return this.#options.validMs ?? Math.max(ttlMs, SHORTEST_TTL_MS);
  }

  /** The first record kind that the first of the possible full names has. */
  async #firstOf(name: string, kinds: readonly string[]): Promise<NameAnswer> {
    let cause: unknown;
    for (const full of this.#fullNames(name)) {
      for (const kind of kinds) {
        try {
          const answer = await this.#query(full, kind);
          if (answer !== undefined && answer.records.length > 0) return answer;
        } catch (error) {
          if (!isAbsent(error)) throw error;
          cause = error;
        }
      }
    }
    throw new GatewayError("UPSTREAM_INVALID", `name ${name} has no address`, { cause, details: { name } });
  }

  /** The name alone and in the search domains (resolv.conf(5)). */
  #fullNames(name: string): readonly string[] {
    if (name.endsWith(".")) return [name.slice(0, -1)];
    const within = this.#search.map((domain) => `${name}.${domain}`);
    const dots = name.split(".").length - 1;
    return dots >= this.#ndots ? [name, ...within] : [...within, name];
  }

  async #query(name: string, kind: string): Promise<NameAnswer | undefined> {
    if (kind === "A") return addressesOf(await this.#resolver.resolve4(name, { ttl: true }));
    if (kind === "AAAA") return addressesOf(await this.#resolver.resolve6(name, { ttl: true }));
    // `last` and `CNAME` are kinds in APISIX's list: aliases are followed in any case.
    return kind === "SRV" ? this.#queryService(name) : undefined;
  }

  async #queryService(name: string): Promise<NameAnswer> {
    const services = await this.#resolver.resolveSrv(name);
    const targets = await Promise.allSettled(services.map((service) => this.host(`${service.name}.`)));
    const found = services.flatMap((service, index) => {
      const target = targets[index];
      if (target?.status !== "fulfilled") return [];
      const { port, priority, weight } = service;
      const records = target.value.records.map(({ address }) => ({ address, port, weight: 1, priority: -priority }));
      return [{ weight: weight === 0 ? 1 : weight, records, ttlMs: target.value.ttlMs }];
    });
    const ttls = found.map(({ ttlMs }) => ttlMs).filter(Number.isFinite);
    return { records: spreadWeights(found), ttlMs: Math.min(...(ttls.length === 0 ? [SRV_TTL_MS] : ttls)) };
  }
}

function plainRecord(address: string): NameRecord {
  return { address, weight: 1, priority: 0 };
}

function addressesOf(records: readonly { readonly address: string; readonly ttl: number }[]): NameAnswer {
  return {
    records: records.map(({ address }) => plainRecord(address)),
    ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000,
  };
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && ABSENT.has(String(error.code));
}
