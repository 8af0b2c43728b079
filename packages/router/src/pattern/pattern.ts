import type { SegmentRun } from "./segment-run.ts";

/** What a path pattern covered. */
export interface Captures {
  /** The text under the first unnamed whole-segment star. */
  readonly remainder: string | undefined;
  /** The text under named segments and stars; absent when the pattern has none. */
  readonly params: Readonly<Record<string, string>> | undefined;
}

/** The part of a dynamic pattern that the tree cannot decide. It is asked with the pattern as written, whose text it may not keep. */
export interface Pattern {
  /** What the pattern covers of a path that has its literal prefix; `undefined` when it does not match. */
  capture(path: string, uri: string): Captures | undefined;
  /** Text that has to stand behind its first parameters; `undefined`: none. */
  segmentsOf(uri: string): SegmentRun | undefined;
}

/** A URI pattern taken apart. */
export interface ParsedUri {
  readonly text: string;
  /** How much of it comes before the first dynamic part: the key in the tree. */
  readonly literalLength: number;
  /** Whether paths may go on after the literal text. */
  readonly isDynamic: boolean;
  /** Absent when the literal text decides alone and nothing is captured. */
  readonly pattern: Pattern | undefined;
}
