import type { RequestContext, SubRequest } from "@fngate/plugin-kit";
import type { Batch, BatchItem } from "./batch.ts";

/** Fields of the connection that the batch came on. */
const NOT_SHARED: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "te",
  "transfer-encoding",
  "trailer",
  "upgrade",
  "expect",
]);

/** One request of a batch, with what all have in common and what the batch itself came with. */
export function compileSubRequest(item: BatchItem, batch: Batch, context: RequestContext): SubRequest {
  return {
    method: item.method,
    target: targetOf(item, batch),
    headers: headersOf(item, batch, context),
    ...(item.body === undefined ? {} : { body: item.body }),
    timeoutMs: batch.timeout,
  };
}

function targetOf(item: BatchItem, batch: Batch): string {
  const query = { ...batch.query, ...item.query };
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (one) => `${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`,
    ),
  );
  const path = item.path.startsWith("/") ? item.path : `/${item.path}`;
  if (pairs.length === 0) return path;
  return `${path}${path.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}

/** The request's own fields first, then those of all, then the batch's, but for those about its body. */
function headersOf(item: BatchItem, batch: Batch, { request }: RequestContext): string[] {
  const fields = new Map<string, string>();
  const add = (name: string, value: unknown): void => {
    const lower = name.toLowerCase();
    if (!fields.has(lower) && !NOT_SHARED.has(lower)) fields.set(lower, String(value));
  };
  for (const headers of [item.headers, batch.headers]) {
    for (const [name, value] of Object.entries(headers ?? {})) add(name, value);
  }
  const { raw } = request.headers;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    if (!name.toLowerCase().startsWith("content-")) add(name, raw[index + 1]);
  }
  fields.delete("content-length");
  return [...fields].flat();
}
