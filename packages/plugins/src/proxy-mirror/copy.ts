import type { HttpCall } from "@fngate/kernel";
import type { RequestContext } from "@fngate/plugin-kit";
import { percentEncode } from "../shared/percent-encoding.ts";
import type { ProxyMirrorConfig } from "./schema.ts";

/** Fields of the client's connection, and those that the copy gets of its own. */
const DROPPED: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "content-length",
  "host",
]);

/** What a path keeps beside letters and digits. */
const PATH_KEPT = "-._~!$&'()*+,;=:@/";

/** Makes the copy of a request, its body excepted. */
export type CopyOf = (context: RequestContext) => Omit<HttpCall, "timeoutMs">;

/** Compiles where copies go. */
export function compileCopy(config: ProxyMirrorConfig): CopyOf {
  return (context) => ({
    method: context.request.method,
    url: `${config.host}${targetOf(config, context)}`,
    headers: fieldsOf(context),
    verifyTls: false,
  });
}

function targetOf({ path, path_concat_mode: mode }: ProxyMirrorConfig, { request, upstream }: RequestContext): string {
  const own = upstream.path ?? percentEncode(request.path, PATH_KEPT);
  const query = upstream.query ?? request.query;
  const base = path === undefined ? own : mode === "prefix" ? path + own : path;
  return query === "" ? base : `${base}?${query}`;
}

/** The fields that the upstream gets, its host among them. */
function fieldsOf({ request, upstream }: RequestContext): string[] {
  const fields: string[] = [];
  const { raw } = request.headers;
  const named = new Set(request.headers.getAll("connection").flatMap((value) => value.toLowerCase().split(/\s*,\s*/)));
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const lower = name.toLowerCase();
    if (!DROPPED.has(lower) && !named.has(lower)) fields.push(name, raw[index + 1] as string);
  }
  const host = upstream.host ?? request.headers.get("host");
  return host === undefined ? fields : [...fields, "Host", host];
}
