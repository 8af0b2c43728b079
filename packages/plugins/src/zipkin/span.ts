import type { Clock } from "@fngate/kernel";
import { randomHex } from "../shared/random-hex.ts";
import type { SpanPlace } from "./b3.ts";

/** One end of a connection (Zipkin v2 API: Endpoint). */
export interface SpanEndpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port: number;
}

/** A span as Zipkin takes it (Zipkin v2 API: Span); times are microseconds. */
export interface ZipkinSpan extends Omit<SpanPlace, "parentId"> {
  readonly parentId?: string;
  readonly name: string;
  readonly kind?: "SERVER";
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: SpanEndpoint;
  readonly remoteEndpoint?: SpanEndpoint;
  readonly tags: Readonly<Record<string, string>>;
}

/** A span that has begun. */
export interface OpenSpan extends SpanPlace {
  readonly name: string;
  /** Milliseconds since the epoch, with fractions. */
  readonly startedAtMs: number;
}

/** Begins a span below another one, or as the first of its trace. */
export function openSpan(name: string, parent: ParentPlace, startedAtMs: number): OpenSpan {
  return { name, traceId: parent.traceId ?? randomHex(16), id: randomHex(8), parentId: parent.id, startedAtMs };
}

/** Where a new span goes; without a trace it begins one. */
export interface ParentPlace {
  readonly traceId: string | undefined;
  readonly id: string | undefined;
}

/** Ends a span. */
export function closeSpan(
  { name, startedAtMs, traceId, id, parentId }: OpenSpan,
  endedAtMs: number,
  more: Pick<ZipkinSpan, "localEndpoint" | "tags" | "kind" | "remoteEndpoint">,
): ZipkinSpan {
  return {
    ...{ traceId, name, id },
    ...(parentId === undefined ? {} : { parentId }),
    timestamp: Math.round(startedAtMs * 1000),
    // Zipkin's least duration of a span that is over.
    duration: Math.max(1, Math.floor((endedAtMs - startedAtMs) * 1000)),
    ...more,
  };
}

/** An address as Zipkin wants it. */
export function endpointOf(address: string, port: number): SpanEndpoint {
  return address.includes(":") ? { ipv6: address, port } : { ipv4: address, port };
}

/** Wall-clock time that goes on evenly from where it was when made. */
export function steadyTime(clock: Clock): () => number {
  const offsetMs = clock.now() - clock.monotonicMs();
  return () => offsetMs + clock.monotonicMs();
}
