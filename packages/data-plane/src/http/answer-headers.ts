import type { HeaderList } from "@fngate/kernel";

/** Types that get `; charset=utf-8` when they name none (APISIX: `nginx_config.http.charset`). */
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

/** An answer's fields with the gateway's `Server`, without those that steer a proxy, in one pass. */
export function answerFields(fields: readonly string[], serverHeader: string, isUpstream: boolean): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    const isDropped = isUpstream ? isSteering(name) : name.length === 6 && name.toLowerCase() === "server";
    if (!isDropped) kept.push(name, fields[index + 1] as string);
  }
  kept.push("Server", serverHeader);
  return kept;
}

function isSteering(name: string): boolean {
  const code = name.charCodeAt(0) | 0x20;
  return (code === 0x78 || code === 0x73) && STEERING.has(name.toLowerCase());
}

/** Adds the charset to text types that name none, except on 301 and 302. */
export function addCharset(headers: HeaderList, status: number): void {
  const type = headers.get("content-type");
  if (type === undefined || type.includes(";") || status === 301 || status === 302) return;
  if (CHARSET_TYPES.has(type.trim().toLowerCase())) headers.set("Content-Type", `${type.trim()}; charset=utf-8`);
}

/** Tells whether an answer of this status has a body at all. */
export function hasBody(status: number, method: string): boolean {
  return method !== "HEAD" && status !== 204 && status !== 304 && status >= 200;
}
