import type { HeaderList } from "@fngate/kernel";

/** As in APISIX's own `config.yaml`. */
export const DEFAULT_CHARSET = "utf-8";

/** Types that get the gateway's charset when they name none (nginx: `charset_types`). */
const CHARSET_TYPES: ReadonlySet<string> = new Set([
  "text/html",
  "text/xml",
  "text/plain",
  "text/vnd.wap.wml",
  "application/javascript",
  "application/rss+xml",
]);

/**
 * Fields by which an upstream steers nginx (APISIX upstream, response): ours steers nothing, and clients must not
 * see them. `X-Accel-Redirect` would be followed by nginx; here it is an ordinary field.
 */
const STEERING: ReadonlySet<string> = new Set([
  "server",
  "x-accel-expires",
  "x-accel-limit-rate",
  "x-accel-buffering",
  "x-accel-charset",
  "x-pad",
]);

/** Where an answer's fields come from and go to. */
export interface AnswerFieldsContext {
  readonly status: number;
  readonly serverHeader: string;
  /** What text types get that name no charset; absent: nothing. */
  readonly charset: string | undefined;
  readonly isUpstream: boolean;
}

/** An answer's fields with the gateway's `Server` and charset, without those that steer a proxy, in one pass. */
export function answerFields(
  fields: readonly string[],
  { status, serverHeader, charset, isUpstream }: AnswerFieldsContext,
): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    const value = fields[index + 1] as string;
    if (name.length === 12 && name.toLowerCase() === "content-type") {
      kept.push(name, withCharset(value, status, charset));
    } else if (!(isUpstream ? isSteering(name) : name.length === 6 && name.toLowerCase() === "server"))
      kept.push(name, value);
  }
  kept.push("Server", serverHeader);
  return kept;
}

function isSteering(name: string): boolean {
  const code = name.charCodeAt(0) | 0x20;
  return (code === 0x78 || code === 0x73) && STEERING.has(name.toLowerCase());
}

/** Adds the charset, if there is one, to the type of an answer. */
export function addCharset(headers: HeaderList, status: number, charset: string | undefined): void {
  const type = headers.get("content-type");
  if (type === undefined) return;
  const complete = withCharset(type, status, charset);
  if (complete !== type) headers.set("Content-Type", complete);
}

/** A type with the charset that text types get when they name none, except on 301 and 302. */
function withCharset(type: string, status: number, charset: string | undefined): string {
  if (charset === undefined || type.includes(";") || status === 301 || status === 302) return type;
  const bare = type.trim();
  return CHARSET_TYPES.has(bare.toLowerCase()) ? `${bare}; charset=${charset}` : type;
}

/** Tells whether an answer of this status has a body at all. */
export function hasBody(status: number, method: string): boolean {
  return method !== "HEAD" && status !== 204 && status !== 304 && status >= 200;
}
