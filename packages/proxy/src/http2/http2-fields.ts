import type { OutgoingRequest } from "../exchange.ts";

/** Fields of HTTP/1 connections, which HTTP/2 forbids (RFC 9113 section 8.2.2); `te` is set anew. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** A request's head in HTTP/2, flat: pseudo-fields first, names in lower case, trailers welcome (gRPC over HTTP/2). */
export function requestFields(request: OutgoingRequest, scheme: string): string[] {
  const { headers, method, target } = request;
  const fields = [":method", method, ":scheme", scheme, ":path", target];
  const others: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] ?? "").toLowerCase();
    const value = headers[index + 1] ?? "";
    if (name === "host") fields.push(":authority", value);
    else if (!CONNECTION_FIELDS.has(name)) others.push(name, value);
  }
  const length = lengthOf(request);
  if (length !== undefined) others.push("content-length", String(length));
  return [...fields, ...others, "te", "trailers"];
}

function lengthOf({ body }: OutgoingRequest): number | undefined {
  if (body.kind === "bytes") return body.bytes.length;
  return body.kind === "stream" ? body.lengthBytes : undefined;
}

/** What an answer's head holds. */
export interface AnswerFields {
  readonly status: number;
  /** Flat, without pseudo-fields. */
  readonly headers: readonly string[];
}

/** Reads an answer's flat raw fields. */
export function answerFields(raw: readonly string[]): AnswerFields {
  const headers: string[] = [];
  let status = 0;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    if (name === ":status") status = Number(value);
    else if (!name.startsWith(":") && !CONNECTION_FIELDS.has(name)) headers.push(name, value);
  }
  return { status, headers };
}

/** What stays in the head of a gRPC answer that is all head: what HTTP itself or the coding of messages needs. */
const HEAD_FIELDS: ReadonlySet<string> = new Set([
  "content-length",
  "content-type",
  "date",
  "grpc-accept-encoding",
  "grpc-encoding",
  "server",
]);

/**
 * Makes trailers of the metadata in an answer that is all head: a gRPC server that fails at once has nothing else, and
 * the client has to get it at the end, where it looks for it (gRPC over HTTP/2: Trailers-Only).
 */
export function splitTrailersOnly(headers: readonly string[]): { headers: readonly string[]; trailers: string[] } {
  const isGrpc = headers.some((name, index) => index % 2 === 0 && name === "grpc-status");
  if (!isGrpc) return { headers, trailers: [] };
  const split = { headers: [] as string[], trailers: [] as string[] };
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    (HEAD_FIELDS.has(name) ? split.headers : split.trailers).push(name, headers[index + 1] ?? "");
  }
  return split;
}
