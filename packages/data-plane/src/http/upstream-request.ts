import { prepareHeaders } from "@fngate/proxy";
import type { ClientRequest, ExchangeContext } from "./exchange-context.ts";

/** The raw target as the client sent it, with the path or query that plugins put in place (APISIX upstream, request). */
export function upstreamTarget({ overrides, request }: ExchangeContext): string {
  const { originTarget } = request;
  const query = overrides?.query ?? request.query;
  const newPath = overrides?.path;
  if (newPath === undefined && query === request.sentQuery) return originTarget;
  const mark = originTarget.indexOf("?");
  const path = newPath ?? (mark < 0 ? originTarget : originTarget.slice(0, mark));
  return query === "" ? path : `${path}?${query}`;
}

/** The client's fields for an upstream of that scheme. */
export function headersFor(scheme: string, request: ClientRequest): string[] {
  return scheme.startsWith("grpc") ? grpcHeaders(request) : upstreamHeaders(request);
}

const GRPC_TYPE = "application/grpc";

/**
 * The client's fields for a gRPC service, which is not told the client's address and gets no content type but those of
 * gRPC: one that says how messages are coded, `application/grpc+json` say, stays (APISIX: gRPC, which drops that part).
 */
function grpcHeaders({ headers }: ClientRequest): string[] {
  const fields = prepareHeaders(headers.raw);
  if (headers.get("content-type")?.startsWith(GRPC_TYPE) === true) return fields;
  const others: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    if (name.toLowerCase() !== "content-type") others.push(name, fields[index + 1] as string);
  }
  others.push("Content-Type", GRPC_TYPE);
  return others;
}

/** The client's fields with its address in `X-Real-IP` and at the end of `X-Forwarded-For`. */
export function upstreamHeaders(request: ClientRequest): string[] {
  const fields = prepareHeaders(request.headers.raw);
  let chain = "";
  let kept = 0;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    const value = fields[index + 1] as string;
    const lower = name.length === 9 || name.length === 15 ? name.toLowerCase() : "";
    if (lower === "x-real-ip") continue;
    if (lower === "x-forwarded-for") {
      chain += `${value}, `;
      continue;
    }
    fields[kept] = name;
    fields[kept + 1] = value;
    kept += 2;
  }
  fields.length = kept;
  fields.push("X-Real-IP", request.remoteAddress, "X-Forwarded-For", chain + request.remoteAddress);
  return fields;
}
