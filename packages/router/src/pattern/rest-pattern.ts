import type { Captures, Pattern } from "./pattern.ts";

/** `/a/*` and `*`: matches every path with its prefix and captures what follows. */
class RestPattern implements Pattern {
  readonly #prefixLength: number;

  constructor(prefixLength: number) {
    this.#prefixLength = prefixLength;
  }

  capture(path: string): Captures {
    return { remainder: path.slice(this.#prefixLength), params: undefined };
  }

  segmentsOf(): undefined {
    return undefined;
  }
}

const byPrefixLength: RestPattern[] = [];

/** The pattern after a literal prefix of that length; routes share them, and no key is longer than a URI may be. */
export function restPattern(prefixLength: number): Pattern {
  byPrefixLength[prefixLength] ??= new RestPattern(prefixLength);
  return byPrefixLength[prefixLength];
}
