import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isKeyGuessable } from "./key-safety.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** Why a browser's request is refused; nothing when it may go on. */
export type OriginGuard = (request: IncomingMessage) => string | undefined;

/**
 * Builds the check that keeps web pages away from an Admin API whose key everybody knows: on loopback such a key is
 * accepted, and any page that the operator visits could use it. Requests without `Origin` are not from pages and pass.
 * With a key of one's own, or when other origins are allowed explicitly, everything passes, as in APISIX.
 */
export function createOriginGuard(
  options: Pick<ControlPlaneOptions, "keys" | "isKeyRequired" | "isCrossOriginAllowed">,
): OriginGuard {
  if (options.isCrossOriginAllowed === true || !isKeyGuessable(options)) return () => undefined;
  return ({ headers: { origin, host } }) => {
    if (origin === undefined || isOwnOrigin(origin, host)) return undefined;
    return `requests of web pages from ${JSON.stringify(origin)} are refused while the admin key is publicly known or not required: set a key of your own, or deployment.admin.enable_admin_cors: true`;
  };
}

/** A page of the admin's own address. Names other than localhost do not count: whoever owns one can point it here. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const { host: own, hostname } = new URL(origin);
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
  return (isAddress || hostname === "localhost") && own === host?.toLowerCase();
}
