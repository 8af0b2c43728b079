import type { HeaderList } from "@fngate/kernel";

/** A request's place in a trace, as its caller says (B3 propagation). */
export interface B3 {
  /** 16 or 32 hexadecimal digits, lower case; absent: there is no trace yet. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  /** Whether the caller has decided that the trace is recorded; absent: it has not. */
  readonly isSampled: boolean | undefined;
}

const TRACE_ID = /^(?:[\da-f]{16}){1,2}$/i;
const SPAN_ID = /^[\da-f]{16}$/i;

/**
 * Takes the caller's place in the trace out of the one field `b3`, which goes, or else out of the several `X-B3-*`.
 * @returns nothing when `b3` is malformed; ids that are none are ignored, all of them
 */
export function takeB3(headers: HeaderList): B3 | undefined {
  const single = headers.get("b3");
  if (single === undefined) return readSeveral(headers);
  headers.delete("b3");
  if (single === "0") return { traceId: undefined, spanId: undefined, isSampled: false };
  const [traceId = "", spanId = "", sampled, parentId] = single.split("-", 4);
  if (traceId === "" || spanId === "") return undefined;
  if (sampled === "d") headers.set("x-b3-flags", "1");
  return b3Of({ traceId, spanId, parentId, isSampled: decisionOf(sampled, headers) });
}

/** Puts a span in the caller's place, for whoever is called next. */
export function putB3(headers: HeaderList, span: SpanPlace, isSampled: boolean): void {
  headers.set("x-b3-traceid", span.traceId);
  headers.set("x-b3-spanid", span.id);
  headers.set("x-b3-sampled", isSampled ? "1" : "0");
  if (span.parentId === undefined) headers.delete("x-b3-parentspanid");
  else headers.set("x-b3-parentspanid", span.parentId);
}

/** A span's place in its trace. */
export interface SpanPlace {
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string | undefined;
}

interface Found extends B3 {
  readonly parentId: string | undefined;
}

function readSeveral(headers: HeaderList): B3 {
  return b3Of({
    traceId: headers.get("x-b3-traceid"),
    spanId: headers.get("x-b3-spanid"),
    parentId: headers.get("x-b3-parentspanid"),
    isSampled: decisionOf(headers.get("x-b3-sampled"), headers),
  });
}

function b3Of({ isSampled, parentId, spanId, traceId }: Found): B3 {
  const isSound = isIdOrAbsent(TRACE_ID, traceId) && isIdOrAbsent(SPAN_ID, spanId) && isIdOrAbsent(SPAN_ID, parentId);
  if (!isSound || traceId === undefined) return { traceId: undefined, spanId: undefined, isSampled };
  return { traceId: traceId.toLowerCase(), spanId: spanId?.toLowerCase(), isSampled };
}

function isIdOrAbsent(pattern: RegExp, id: string | undefined): boolean {
  return id === undefined || pattern.test(id);
}

/** `X-B3-Flags: 1` counts where nothing else is said. */
function decisionOf(sampled: string | undefined, headers: HeaderList): boolean | undefined {
  if (sampled === "1" || sampled === "true" || sampled === "d") return true;
  if (sampled === "0" || sampled === "false") return false;
  return headers.get("x-b3-flags") === "1" ? true : undefined;
}
