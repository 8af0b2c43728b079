import type { DataPlaneOptions } from "../options.ts";
import { type AddressList, compileAddressList } from "./address-list.ts";
import type { ClientExchange } from "./client-exchange.ts";
import { type ClientIdentity, createClientIdentity } from "./client-identity.ts";
import { ClientRequest } from "./exchange-context.ts";
import { withForwardedHeaders } from "./forwarded-headers.ts";
import { type ParsedTarget, parseTarget, type TargetOptions } from "./request-target.ts";

/** A request that passed the listener's checks. */
export interface AdmittedRequest {
  readonly request: ClientRequest;
  /** The path that the router looks at. */
  readonly matchPath: string;
}

/** Longest request line and longest field, bytes (APISIX: nginx's `large_client_header_buffers`). */
const LINE_LIMIT_BYTES = 8 * 1024;

/** Space, controls and what would end the authority; nginx refuses these and empty labels. */
const INVALID_HOST = /[^!-~\x80-\xff]|[/\\?#@]|\.\./;

/**
 * The checks before routing; an HTTP status where the request fails one (APISIX routing, listener checks). Answers
 * of that kind reach no plugin.
 */
export class Admission {
  readonly #target: TargetOptions;
  readonly #identity: ClientIdentity;
  readonly #isTrusted: AddressList;
  readonly #hasTrustList: boolean;
  readonly #maxBodyBytes: number;

  constructor(options: DataPlaneOptions) {
    this.#target = {
      deleteTailSlash: options.deleteUriTailSlash ?? false,
      keepEncodedSlash: options.matchUriEncodedSlash ?? false,
      dropParameters: options.normalizeUriLikeServlet ?? false,
    };
    this.#identity = createClientIdentity(options.realIp);
    this.#isTrusted = compileAddressList(options.trustedAddresses ?? []);
    this.#maxBodyBytes = options.clientLimits?.maxBodyBytes || Number.POSITIVE_INFINITY;
    this.#hasTrustList = options.trustedAddresses !== undefined;
  }

  admit(client: ClientExchange): AdmittedRequest | number {
    if (client.method === "TRACE" || client.method === "CONNECT") return 405;
    if (client.target.length > LINE_LIMIT_BYTES) return 414;
    if ((client.declaredBytes ?? 0) > this.#maxBodyBytes) return 413;
    const target = parseTarget(client.target, this.#target);
    if (target === undefined) return 400;
    const rawHost = checkFields(client.rawHeaders);
    if (rawHost === undefined) return client.httpVersion === "1.0" ? this.#complete(client, target, "") : 400;
    if (rawHost === INVALID) return 400;
    return this.#complete(client, target, rawHost);
  }

  #complete(client: ClientExchange, target: ParsedTarget, hostField: string): AdmittedRequest | number {
    const rawHost = target.authority ?? hostField;
    const host = normaliseHost(rawHost);
    if (host === undefined) return 400;
    const observed = { scheme: client.scheme, rawHost, host, localPort: client.localPort };
    const headers = withForwardedHeaders(client.rawHeaders, observed, {
      isPeerTrusted: this.#hasTrustList && this.#isTrusted(client.peerAddress),
      hasTrustList: this.#hasTrustList,
    });
    const proxied = client.connection?.proxied?.sourceAddress;
    const remoteAddress = this.#identity.addressOf(client.peerAddress, headers, proxied);
    const request = new ClientRequest(client, target, { host, rawHost, headers, remoteAddress });
    return { request, matchPath: target.matchPath };
  }
}

const INVALID = Symbol("invalid");

/** The Host field; absent when there is none; {@link INVALID} for two of them or a field that is too long. */
function checkFields(rawHeaders: readonly string[]): string | undefined | typeof INVALID {
  let host: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    if (name.length + value.length > LINE_LIMIT_BYTES) return INVALID;
    if (name.length !== 4 || name.toLowerCase() !== "host") continue;
    if (host !== undefined) return INVALID;
    host = value;
  }
  return host;
}

/** Lower case, without port and one trailing dot; `_` for none; nothing for one that cannot be a host. */
function normaliseHost(rawHost: string): string | undefined {
  if (rawHost === "") return "_";
  if (INVALID_HOST.test(rawHost)) return undefined;
  const end = rawHost.startsWith("[") ? rawHost.indexOf("]") + 1 : rawHost.indexOf(":");
  if (rawHost.startsWith("[") && end === 0) return undefined;
  const name = end < 0 ? rawHost : rawHost.slice(0, end);
  const host = (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
  return host === "" ? undefined : host;
}
