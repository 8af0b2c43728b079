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

/**
 * Takes the fields that gRPC sends in trailers out of a head: an answer that is all head has them there, and the client
 * has to get them at the end, where it looks for them (gRPC over HTTP/2: Trailers-Only).
 */
export function splitTrailersOnly(headers: readonly string[]): { headers: string[]; trailers: string[] } {
  const split = { headers: [] as string[], trailers: [] as string[] };
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const isTrailer = name === "grpc-status" || name === "grpc-message" || name.endsWith("-bin");
    (isTrailer ? split.trailers : split.headers).push(name, headers[index + 1] ?? "");
  }
  return split;
}
