import { GatewayError } from "@fngate/kernel";
import { compileFilter } from "./filter.ts";
import { type Selector, selectAll, selectIndex, selectName, selectSlice, selectWhere } from "./selectors.ts";

/** What a path selects in a document, in document order. */
export type JsonPath = (document: unknown) => readonly unknown[];

interface Segment {
  /** `..`: the value itself and everything below it is looked into. */
  readonly isDescendant: boolean;
  readonly selectors: readonly Selector[];
}

/**
 * Values that one evaluation looks at. Every `..` may multiply what is there by its depth, and the document is a
 * client's.
 */
const MOST_VISITS = 100_000;

/** How deep `..` looks; what nests deeper is made to exhaust the stack. */
const DEEPEST = 256;

const NAME = /(\.{1,2})(?:(\*)|([^.[\]*()'"\s]+))/y;
const SUBSCRIPT = /(\.\.)?\[\s*((?:'[^']*'|"[^"]*"|[^'"\]()?])*)\s*\]/y;
const SCRIPT = /(\.\.)?\[(\??)\((.*?)\)\]/sy;
const FROM_END = /^\s*@\.length\s*-\s*(\d+)\s*$/;
const SLICE = /^(-?\d*):(-?\d*)(?::(\d*))?$/;
const PART = /'[^']*'|"[^"]*"|[^,'"]+/g;

/**
 * Compiles a JSONPath below the document's root, written as in `post_arg.<path>`: names, `*`, `..`, subscripts with
 * indexes, slices, names and lists of them, `[?(…)]` with comparisons, `[(@.length-1)]`.
 *
 * Raises `EXPRESSION_INVALID` for a path it cannot read. Evaluating never throws; past a bound of visited values it
 * finds nothing.
 */
export function compileJsonPath(path: string): JsonPath {
  const segments = parseSegments(`.${path}`);
  return (document) => {
    const visits = { left: MOST_VISITS };
    let found: readonly unknown[] = [document];
    for (const segment of segments) found = applySegment(segment, found, visits);
    return visits.left > 0 ? found : [];
  };
}

function applySegment(segment: Segment, values: readonly unknown[], visits: { left: number }): unknown[] {
  const found: unknown[] = [];
  const emit = (child: unknown): void => {
    visits.left -= 1;
    if (visits.left > 0) found.push(child);
  };
  const visit = (value: unknown, depth: number): void => {
    visits.left -= 1;
    if (visits.left <= 0 || depth > DEEPEST) return;
    for (const select of segment.selectors) select(value, emit);
    if (segment.isDescendant) selectAll(value, (child) => visit(child, depth + 1));
  };
  for (const value of values) visit(value, 0);
  return found;
}

function parseSegments(text: string): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  while (at < text.length) {
    const found = segmentAt(text, at);
    if (found === undefined)
      throw new GatewayError("EXPRESSION_INVALID", `invalid expression near "${text.slice(Math.max(at, 1))}"`);
    segments.push(found.segment);
    at = found.end;
  }
  return segments;
}

function segmentAt(text: string, at: number): { readonly segment: Segment; readonly end: number } | undefined {
  for (const [pattern, read] of READERS) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) continue;
    const selectors = read(found);
    if (selectors !== undefined) {
      return { segment: { isDescendant: found[1] === "..", selectors }, end: at + found[0].length };
    }
  }
  return undefined;
}

const READERS: readonly (readonly [RegExp, (found: RegExpExecArray) => readonly Selector[] | undefined])[] = [
  [NAME, (found) => [found[2] === "*" ? selectAll : selectName(found[3] ?? "")]],
  [SUBSCRIPT, (found) => parseSubscript(found[2] ?? "")],
  [SCRIPT, (found) => parseScript(found[2] === "?", found[3] ?? "")],
];

function parseSubscript(text: string): readonly Selector[] | undefined {
  const parts = text.match(PART)?.map((part) => parsePart(part.trim())) ?? [];
  const selectors = parts.filter((part) => part !== undefined);
  return selectors.length === 0 || selectors.length !== parts.length ? undefined : selectors;
}

function parsePart(part: string): Selector | undefined {
  if (part === "*") return selectAll;
  if (/^['"]/.test(part)) return selectName(part.slice(1, -1));
  if (/^-?\d+$/.test(part)) return selectIndex(Number(part));
  const slice = SLICE.exec(part);
  if (slice === null) return undefined;
  const bound = (digits: string | undefined) => (digits ? Number(digits) : undefined);
  return selectSlice({ start: bound(slice[1]), end: bound(slice[2]), step: bound(slice[3]) || 1 });
}

function parseScript(isFilter: boolean, text: string): readonly Selector[] | undefined {
  if (!isFilter) {
    const index = FROM_END.exec(text);
    return index === null ? undefined : [selectIndex(-Number(index[1]))];
  }
  const holds = compileFilter(text);
  return holds === undefined ? undefined : [selectWhere(holds)];
}
