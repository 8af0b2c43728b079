/** Segments of a path: how many are passed over behind the literal prefix, and how many count. */
export interface SegmentWindow {
  /** Length of the literal prefix, which ends with a slash. */
  readonly from: number;
  readonly skipped: number;
  readonly count: number;
}

/** Segments that have to be a text, with the slashes between them. */
export interface SegmentRun {
  readonly window: SegmentWindow;
  readonly text: string;
}

/** What stands in the window; `undefined` when the path has too few segments. */
export function segmentsOf(path: string, { from, skipped, count }: SegmentWindow): string | undefined {
  const start = afterSlashes(path, from, skipped);
  if (start < 0) return undefined;
  // One slash less than segments lies between them; the last one ends at the next slash or with the path.
  const last = afterSlashes(path, start, count - 1);
  if (last < 0) return undefined;
  const end = path.indexOf("/", last);
  return path.slice(start, end < 0 ? path.length : end);
}

function afterSlashes(path: string, from: number, slashes: number): number {
  let at = from;
  for (let count = 0; count < slashes; count += 1) {
    const slash = path.indexOf("/", at);
    if (slash < 0) return -1;
    at = slash + 1;
  }
  return at;
}
