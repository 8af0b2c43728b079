import type { MatchInput } from "../router.ts";

/** The hosts of a route where hosts are only a filter. Source: APISIX routing, "Hosts in the URI routers". */
export interface HostFilter {
  /** The patterns as written. */
  readonly texts: readonly string[];
  /** The first pattern the request's host fits. */
  patternOf(input: MatchInput): string | undefined;
}

const PORT = /:\d+$/;

/** Tells whether a host pattern names a port; it is compared with the `Host` field as it came, without case. */
export function hasPort(pattern: string): boolean {
  return PORT.test(pattern);
}

/** Compiles the host patterns of a route, of which there is at least one. */
export function compileHostFilter(hosts: readonly string[]): HostFilter {
  const filters = hosts.map(compileHost);
  const [only] = filters;
  return filters.length === 1 && only !== undefined ? only : new AnyOf(filters);
}

function compileHost(pattern: string): HostFilter {
  return pattern.startsWith("*") || hasPort(pattern) ? new HostPattern(pattern) : new HostName(pattern);
}

/** One name, which most routes have: no object more than a match has to touch. */
class HostName implements HostFilter {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  get texts(): readonly string[] {
    return [this.#name];
  }

  patternOf({ host }: MatchInput): string | undefined {
    return host === this.#name ? this.#name : undefined;
  }
}

/** A wildcard, or a name with a port. */
class HostPattern implements HostFilter {
  readonly #pattern: string;
  readonly #suffix: string | undefined;
  readonly #hasPort: boolean;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#suffix = pattern.startsWith("*") ? pattern.slice(1) : undefined;
    this.#hasPort = hasPort(pattern);
  }

  get texts(): readonly string[] {
    return [this.#pattern];
  }

  patternOf(input: MatchInput): string | undefined {
    const host = this.#hasPort ? rawHost(input) : input.host;
    const fits = this.#suffix === undefined ? host === this.#pattern : host.endsWith(this.#suffix);
    return fits ? this.#pattern : undefined;
  }
}

class AnyOf implements HostFilter {
  readonly #filters: readonly HostFilter[];

  constructor(filters: readonly HostFilter[]) {
    this.#filters = filters;
  }

  get texts(): readonly string[] {
    return this.#filters.flatMap((filter) => filter.texts);
  }

  patternOf(input: MatchInput): string | undefined {
    for (const filter of this.#filters) {
      const pattern = filter.patternOf(input);
      if (pattern !== undefined) return pattern;
    }
    return undefined;
  }
}

function rawHost(input: MatchInput): string {
  const host = input.variables.get("http_host");
  return typeof host === "string" ? host.toLowerCase() : "";
}
