import type { MatchInput } from "../router.ts";
import type { Constraint } from "./constraint.ts";

const PORT = /:\d+$/;

/**
 * The hosts of a route where hosts are only a filter. Source: APISIX routing, "Hosts in the URI routers".
 *
 * A pattern with a port is compared with the `Host` field as it came, without case.
 */
export class HostPatterns implements Constraint {
  readonly #patterns: readonly HostPattern[];

  constructor(hosts: readonly string[]) {
    this.#patterns = hosts.map((text) => new HostPattern(text));
  }

  admits(input: MatchInput): boolean {
    return this.patternOf(input) !== undefined;
  }

  /** The first pattern the request's host fits. */
  patternOf(input: MatchInput): string | undefined {
    for (const pattern of this.#patterns) {
      if (pattern.fits(input)) return pattern.text;
    }
    return undefined;
  }
}

class HostPattern {
  readonly text: string;
  readonly #isWildcard: boolean;
  readonly #hasPort: boolean;
  readonly #name: string;

  constructor(text: string) {
    this.text = text;
    this.#isWildcard = text.startsWith("*");
    this.#hasPort = PORT.test(text);
    this.#name = this.#isWildcard ? text.slice(1) : text;
  }

  fits(input: MatchInput): boolean {
    const host = this.#hasPort ? rawHost(input) : input.host;
    return this.#isWildcard ? host.endsWith(this.#name) : host === this.#name;
  }
}

function rawHost(input: MatchInput): string {
  const host = input.variables.get("http_host");
  return typeof host === "string" ? host.toLowerCase() : "";
}
