import type { Captures, Pattern } from "./pattern.ts";
import type { SegmentRun } from "./segment-run.ts";
import { type Token, widthOf } from "./tokens.ts";

/** A piece of text of the URI pattern. */
class TextPart {
  readonly start: number;
  readonly length: number;

  constructor(start: number, length: number) {
    this.start = start;
    this.length = length;
  }

  of(uri: string): string {
    return uri.slice(this.start, this.start + this.length);
  }

  standsAt(at: number, path: string, uri: string): boolean {
    if (path.length - at < this.length) return false;
    for (let index = 0; index < this.length; index += 1) {
      if (path.charCodeAt(at + index) !== uri.charCodeAt(this.start + index)) return false;
    }
    return true;
  }
}

/** Text, or the index of the capture that one segment goes to. */
type Part = TextPart | number;

/** Parts between two stars, which stand next to each other in a path. */
type Block = readonly Part[];

const NOT_CAPTURED = -1;
const NO_MATCH = -1;

/** A path under test, its pattern, and where the first block ends, below which no other may reach. */
interface Attempt {
  readonly path: string;
  readonly uri: string;
  readonly floor: number;
}

/**
 * Patterns with named segments or with stars that are not at the end, in time linear in the path per block.
 *
 * It knows where the pieces of a pattern stand, and reads their text in the pattern itself: the many routes that are
 * built alike share one object, which stays in the processor's cache.
 *
 * Stars take as much as they can, the first one first. That makes every block after the first stand as far right
 * as possible, so blocks are placed from the right and never moved again: no backtracking.
 */
export class SegmentPattern implements Pattern {
  readonly #literalLength: number;
  readonly #blocks: readonly Block[];
  /** Capture of the star in front of block `index + 1`. */
  readonly #stars: readonly number[];
  /** Name of each capture; empty for the remainder. */
  readonly #names: readonly string[];
  /** Start and end of each capture; written while matching, read right after it. */
  readonly #spans: Int32Array;

  constructor(literalLength: number, dynamic: readonly Token[]) {
    const { blocks, stars, names } = arrange(literalLength, dynamic);
    this.#literalLength = literalLength;
    this.#blocks = blocks;
    this.#stars = stars;
    this.#names = names;
    this.#spans = new Int32Array(2 * names.length);
  }

  capture(path: string, uri: string): Captures | undefined {
    const floor = this.#placeForward(path, uri);
    if (floor === NO_MATCH) return undefined;
    if (this.#blocks.length === 1) return floor === path.length ? this.#read(path) : undefined;
    return this.#placeBackward({ path, uri, floor }) ? this.#read(path) : undefined;
  }

  /** The first whole segments of text behind the literal prefix, if parameters alone come before them. */
  segmentsOf(uri: string): SegmentRun | undefined {
    const [block = []] = this.#blocks;
    if (typeof block[0] !== "number") return undefined;
    let skipped = 0;
    for (const [index, part] of block.entries()) {
      if (typeof part === "number") skipped += 1;
      else {
        const segments = part.of(uri).slice(1).split("/");
        // Before a star or a parameter the last one is a part of a segment, or nothing.
        if (index < block.length - 1 || this.#blocks.length > 1) segments.pop();
        const count = segments.length;
        if (count > 0) return { window: { from: this.#literalLength, skipped, count }, text: segments.join("/") };
      }
    }
    return undefined;
  }

  /** Where the first block ends, which starts right after the literal prefix. */
  #placeForward(path: string, uri: string): number {
    let at = this.#literalLength;
    for (const part of this.#blocks[0] as Block) {
      if (typeof part !== "number") {
        if (!part.standsAt(at, path, uri)) return NO_MATCH;
        at += part.length;
      } else {
        const slash = path.indexOf("/", at);
        const end = slash < 0 ? path.length : slash;
        if (end === at) return NO_MATCH;
        this.#record(part, at, end);
        at = end;
      }
    }
    return at;
  }

  /** Places all blocks after the first, last one first. */
  #placeBackward(attempt: Attempt): boolean {
    let end = attempt.path.length;
    for (let index = this.#blocks.length - 1; index > 0; index -= 1) {
      const block = this.#blocks[index] as Block;
      const isLast = index === this.#blocks.length - 1;
      const blockEnd = isLast ? end : this.#lastEnd(block, attempt, end);
      const start = blockEnd === NO_MATCH ? NO_MATCH : this.#startOf(block, attempt, blockEnd);
      if (start === NO_MATCH) return false;
      // The star behind this block ends where the block after it starts.
      if (!isLast) this.#record(this.#stars[index] as number, blockEnd, end);
      end = start;
    }
    this.#record(this.#stars[0] as number, attempt.floor, end);
    return true;
  }

  /** The right-most place at or before `end` where the block ends. */
  #lastEnd(block: Block, attempt: Attempt, end: number): number {
    for (let at = end; at >= attempt.floor; at -= 1) {
      if (this.#startOf(block, attempt, at) !== NO_MATCH) return at;
    }
    return NO_MATCH;
  }

  /** Where the block starts if it ends at `end`. */
  #startOf(block: Block, attempt: Attempt, end: number): number {
    const { path, uri, floor } = attempt;
    let at = end;
    for (let index = block.length - 1; index >= 0; index -= 1) {
      const part = block[index] as Part;
      const start = typeof part === "number" ? path.lastIndexOf("/", at - 1) + 1 : at - part.length;
      if (start < floor) return NO_MATCH;
      if (typeof part !== "number") {
        if (!part.standsAt(start, path, uri)) return NO_MATCH;
      } else {
        if (start >= at) return NO_MATCH;
        this.#record(part, start, at);
      }
      at = start;
    }
    return at;
  }

  #record(capture: number, start: number, end: number): void {
    if (capture === NOT_CAPTURED) return;
    this.#spans[2 * capture] = start;
    this.#spans[2 * capture + 1] = end;
  }

  #read(path: string): Captures {
    let remainder: string | undefined;
    let params: Record<string, string> | undefined;
    const names = this.#names;
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index] as string;
      const text = path.slice(this.#spans[2 * index], this.#spans[2 * index + 1]);
      if (name === "") remainder ??= text;
      else {
        params ??= new Parameters();
        params[name] = text;
      }
    }
    return { remainder, params };
  }
}

/**
 * Names come from configuration: with nothing to inherit `__proto__` is a name like any other. Objects that have no
 * prototype at all would be hash tables, which cost three times as much.
 */
class Parameters {
  static {
    Object.setPrototypeOf(Parameters.prototype, null);
    Reflect.deleteProperty(Parameters.prototype, "constructor");
  }

  [name: string]: string;
}

interface Arrangement {
  readonly blocks: Block[];
  readonly stars: number[];
  readonly names: string[];
}

/** Cuts the tokens at their stars and numbers the captures. */
function arrange(literalLength: number, dynamic: readonly Token[]): Arrangement {
  const names: string[] = [];
  const stars: number[] = [];
  let block: Part[] = [];
  const blocks: Part[][] = [block];
  let start = literalLength;
  for (const token of dynamic) {
    if (token.kind === "text") block.push(new TextPart(start, token.text.length));
    else if (token.kind === "segment") block.push(names.push(token.name) - 1);
    else {
      stars.push(token.name === undefined ? NOT_CAPTURED : names.push(token.name) - 1);
      block = [];
      blocks.push(block);
    }
    start += widthOf(token);
  }
  return { blocks, stars, names };
}
