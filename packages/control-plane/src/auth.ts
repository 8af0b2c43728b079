import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { GatewayError } from "@fngate/kernel";
import type { AdminKey } from "./options.ts";

/** Who sends an Admin API request, as far as the log may tell. */
export interface Caller {
  /** Name of the key, `anonymous` when none is needed. */
  readonly name: string;
  readonly role: string;
}

/** Decides who a request is from; raises `ADMIN_UNAUTHORIZED`. */
export type Authenticator = (request: IncomingMessage, query: URLSearchParams) => Caller;

const ANONYMOUS: Caller = { name: "anonymous", role: "admin" };

/**
 * Builds the check of `deployment.admin.admin_key`. The token is the query argument `api_key`, else the header
 * `X-API-KEY`, else the cookie `x_api_key`, and the first one present decides. Comparing takes the same time
 * whether and wherever it matches: digests of equal length, every key looked at.
 */
export function createAuthenticator(options: {
  readonly keys: readonly AdminKey[];
  readonly isKeyRequired: boolean;
}): Authenticator {
  if (!options.isKeyRequired || options.keys.length === 0) return () => ANONYMOUS;
  const known = options.keys
    .filter(({ key }) => key !== "")
    .map(({ name, role, key }) => ({ caller: { name, role }, digest: digestOf(key) }));
  return (request, query) => {
    const token = tokenOf(request, query);
    if (token === undefined) throw unauthorized("missing apikey");
    const digest = digestOf(token);
    let caller: Caller | undefined;
    for (const candidate of known) {
      if (timingSafeEqual(candidate.digest, digest)) caller ??= candidate.caller;
    }
    if (caller === undefined) throw unauthorized("wrong apikey");
    if (caller.role === "viewer" && request.method !== "GET") {
      throw unauthorized("invalid method for role viewer");
    }
    return caller;
  };
}

function tokenOf(request: IncomingMessage, query: URLSearchParams): string | undefined {
  const { headersDistinct } = request;
  return (
    query.get("api_key") ??
    headersDistinct["x-api-key"]?.[0] ??
    // nginx takes the name with underscores for the same header.
    headersDistinct["x_api_key"]?.[0] ??
    cookieOf(request.headers.cookie, "x_api_key")
  );
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? "").split(";")) {
    const [key, ...rest] = pair.split("=");
    if (key?.trim() === name && rest.length > 0) return rest.join("=").trim();
  }
  return undefined;
}

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

function unauthorized(description: string): GatewayError {
  return new GatewayError("ADMIN_UNAUTHORIZED", "failed to check token", { details: { description } });
}
