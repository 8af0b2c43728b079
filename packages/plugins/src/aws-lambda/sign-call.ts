import { createRequire } from "node:module";
import { HeaderList, lazy } from "@fngate/kernel";
import type { FunctionCall } from "@fngate/plugin-kit";
import { parseQuery, renderCanonicalQuery } from "./canonical-query.ts";
import type { AccessKey } from "./schema.ts";

const require = createRequire(import.meta.url);
const aws4 = lazy((): typeof import("aws4") => require("aws4"));

const DATE = "x-amz-date";

/** Not signed: it concerns one connection only, and whoever terminates that may take it off. */
const HOP = "te";

/** Values beyond printable ASCII travel, but two programs need not agree on how to read them. */
const IS_SIGNABLE = /^[\x20-\x7e\t]*$/;

/** Who signs, and when. */
export interface Signer {
  readonly accessKey: AccessKey;
  /** Wall-clock milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * The call with an AWS Signature Version 4 over its method, path, query, fields and body, which are sent in exactly
 * the form that was signed: arguments sorted and with `=`, repeated fields as one.
 *
 * @param body the whole body; empty when there is none
 */
export function signCall(call: FunctionCall, body: Uint8Array, { accessKey, nowMs }: Signer): FunctionCall {
  const [path = "/", query = ""] = splitTarget(call.target);
  const args = parseQuery(query);
  const date = amzDate(nowMs);
  const fields = { ...joinFields(call.headers), [DATE]: date };
  const { accesskey: accessKeyId, aws_region: region, secretkey: secretAccessKey, service } = accessKey;
  const { RequestSigner } = aws4();
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const request = { method: call.method, headers: signableOf(fields), body: bytes, region, service };
  const signer = new RequestSigner(request, { accessKeyId, secretAccessKey });
  // Given in parts, neither is parsed again, and no field is added that is not sent.
  signer.datetime = date;
  signer.parsedPath = { path, query: args };
  const canonicalQuery = renderCanonicalQuery(args);
  const headers = new HeaderList([...Object.entries(fields).flat(), "authorization", signer.authHeader()]);
  return { ...call, headers, target: canonicalQuery === "" ? path : `${path}?${canonicalQuery}` };
}

function splitTarget(target: string): readonly string[] {
  const at = target.indexOf("?");
  return at === -1 ? [target] : [target.slice(0, at), target.slice(at + 1)];
}

/** `20250131T235959Z`. */
function amzDate(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, "");
}

/** Fields by lower-case name, repeated ones joined as RFC 9110 5.3 allows; cookies as theirs does. */
function joinFields({ raw }: HeaderList): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    const value = raw[index + 1] as string;
    const known = fields[name];
    fields[name] = known === undefined ? value : known + (name === "cookie" ? "; " : ", ") + value;
  }
  return fields;
}

function signableOf(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => name !== HOP && IS_SIGNABLE.test(value)));
}
