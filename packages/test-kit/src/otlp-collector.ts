import protobuf from "protobufjs";
import { EchoUpstream } from "./echo-upstream.ts";
import { type EventuallyOptions, eventually } from "./eventually.ts";

/** The parts of OTLP's trace messages that tests look at (OpenTelemetry Protocol 1.x: field numbers). */
const MESSAGES = `
  syntax = "proto3";
  message Request { repeated ResourceSpans resourceSpans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
  message Resource { repeated Attribute attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes traceId = 1; bytes spanId = 2; string traceState = 3; bytes parentSpanId = 4; string name = 5; int32 kind = 6;
    fixed64 startTimeUnixNano = 7; fixed64 endTimeUnixNano = 8; repeated Attribute attributes = 9; Status status = 15;
  }
  message Status { string message = 2; int32 code = 3; }
  message Attribute { string key = 1; Value value = 2; }
  message Value { oneof value { string stringValue = 1; bool boolValue = 2; int64 intValue = 3; double doubleValue = 4; } }
`;

const Request = protobuf.parse(MESSAGES).root.lookupType("Request");

/** A span as it was exported. */
export interface ExportedSpan {
  /** Hexadecimal, as the ids below; a root span's parent is empty. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 2: server. */
  readonly kind: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Code 0: unset, 2: error. */
  readonly status: { readonly code: number; readonly message: string };
  /** Attributes of whoever made it. */
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A collector of OpenTelemetry traces: a real HTTP server that reads what it is sent at `/v1/traces`. */
export class OtlpCollector extends EchoUpstream {
  /** `host:port`. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Every span that has arrived, in order. */
  get spans(): ExportedSpan[] {
    return this.requests.filter(({ url }) => url === "/v1/traces").flatMap(({ body }) => spansIn(body));
  }

  /** Resolves to span number `count` (from 1) once it has arrived. */
  span(count = 1, options?: EventuallyOptions): Promise<ExportedSpan> {
    return eventually(() => {
      const found = this.spans[count - 1];
      if (found === undefined) throw new Error(`${this.spans.length} of ${count} spans arrived`);
      return found;
    }, options);
  }
}

/** Starts an {@link OtlpCollector}. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const collector = new OtlpCollector();
  await collector.listen();
  return collector;
}

interface Attribute {
  readonly key: string;
  readonly value?: Readonly<Record<string, unknown>>;
}

interface DecodedSpan extends Omit<ExportedSpan, "attributes" | "durationMs" | "resource"> {
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
}

interface DecodedRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly DecodedSpan[] }[];
  }[];
}

function spansIn(body: Uint8Array): ExportedSpan[] {
  const options = { longs: String, bytes: String, defaults: true, arrays: true };
  const { resourceSpans } = Request.toObject(Request.decode(body), options) as DecodedRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => spanOf(span, recordOf(resource.attributes)))),
  );
}

function spanOf(span: DecodedSpan, resource: ExportedSpan["resource"]): ExportedSpan {
  const { endTimeUnixNano, startTimeUnixNano, ...rest } = span;
  return {
    ...rest,
    traceId: hexOf(span.traceId),
    spanId: hexOf(span.spanId),
    parentSpanId: hexOf(span.parentSpanId),
    durationMs: Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6,
    attributes: recordOf(span.attributes),
    resource,
  };
}

function recordOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value = {} }) => [key, Object.values(value)[0]]));
}

function hexOf(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}
