import type { Captures, Pattern } from "./pattern.ts";

/** `/a/*` and `*`: matches every path with its prefix and captures what follows. */
export class RestPattern implements Pattern {
  readonly #prefixLength: number;

  constructor(prefixLength: number) {
    this.#prefixLength = prefixLength;
  }

  capture(path: string): Captures {
    return { remainder: path.slice(this.#prefixLength), params: undefined };
  }
}
