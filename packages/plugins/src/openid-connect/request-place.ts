import type { RequestContext } from "@fngate/plugin-kit";
import { percentEncode } from "../shared/percent-encoding.ts";

/** What a path may have as it is (RFC 3986, `pchar`). */
const KEPT = "/-._~!$&'()*+,;=:@";

const SUFFIX = "/.apisix/redirect";

/** Members of an element of `Forwarded` (RFC 7239, 4). */
const FORWARDED_PROTO = /(?:^|;)\s*proto="?(https?)"?/i;
const FORWARDED_HOST = /(?:^|;)\s*host="?([^";\s]+)"?/i;

/** Longest address that a login leads back to; from a longer one it leads to its path. */
const MAX_TARGET = 2048;

/** Where a client's requests go, as it sees the gateway. */
function originOf({ request }: RequestContext): string {
  const { headers } = request;
  // These say what the gateway saw, or what a trusted proxy before it did; strangers' do not get this far.
  const forwarded = headers.get("forwarded")?.split(",", 1)[0] ?? "";
  const scheme = FORWARDED_PROTO.exec(forwarded)?.[1] ?? headers.get("x-forwarded-proto") ?? request.scheme;
  const host = FORWARDED_HOST.exec(forwarded)?.[1] ?? headers.get("x-forwarded-host") ?? request.host;
  return `${scheme.toLowerCase()}://${host}`;
}

/** The whole address that the provider sends callers back to. */
export function redirectUriOf(context: RequestContext, configured: string | undefined): string {
  if (configured === undefined) {
    const path = percentEncode(context.request.path, KEPT);
    return `${originOf(context)}${path.endsWith(SUFFIX) ? path : path.replace(/\/$/, "") + SUFFIX}`;
  }
  return configured.startsWith("/") ? `${originOf(context)}${configured}` : configured;
}

/** Whether a request is for the path of an address. */
export function isAt({ request }: RequestContext, address: string): boolean {
  return percentEncode(request.path, KEPT) === URL.parse(address)?.pathname;
}

/** What was asked for, as a redirect may lead there; never another host. */
export function targetOf({ request }: RequestContext): string {
  const path = `/${percentEncode(request.path, KEPT).replace(/^\/+/, "")}`;
  const whole = request.query === "" ? path : `${path}?${request.query}`;
  return whole.length <= MAX_TARGET ? whole : path;
}
