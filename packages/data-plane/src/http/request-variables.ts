import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { GatewayRequest } from "@fngate/plugin-kit";
import type { VariableLookup } from "@fngate/router/expr";
import { createLocalTime, isoTime, seconds } from "../local-time.ts";
import {
  type BodyVariableLimits,
  BodyVariables,
  DEFAULT_BODY_VARIABLE_LIMITS,
  isBodyVariable,
  type VariableSource,
} from "./body-variables.ts";
import type { ClientConnection } from "./client-connection.ts";
import { isTlsVariable } from "./client-tls.ts";
import { readArgument } from "./query-arguments.ts";
import { remoteUserOf } from "./remote-user.ts";

type Reader = (request: VariableSource, atMs: number) => unknown;

const localTime = createLocalTime();

/** Variables by their APISIX names; unknown ones are absent. */
const READERS: Readonly<Record<string, Reader>> = {
  uri: (request) => request.path,
  document_uri: (request) => request.path,
  request_uri: (request) => `${request.path}${request.query === "" ? "" : `?${request.query}`}`,
  real_request_uri: (request) => request.rawTarget,
  args: (request) => request.query,
  query_string: (request) => request.query,
  is_args: (request) => (request.query === "" ? "" : "?"),
  host: (request) => request.host,
  scheme: (request) => request.scheme,
  https: (request) => (request.scheme === "https" ? "on" : ""),
  request_method: (request) => request.method,
  method: (request) => request.method,
  request: (request) => `${request.method} ${request.rawTarget} HTTP/${request.httpVersion}`,
  server_protocol: (request) => `HTTP/${request.httpVersion}`,
  http2: ({ httpVersion, scheme }) => (httpVersion !== "2.0" ? "" : scheme === "https" ? "h2" : "h2c"),
  remote_addr: (request) => request.remoteAddress,
  remote_port: ({ connection, remoteAddress }) => connection && portOf(connection, remoteAddress),
  realip_remote_addr: ({ connection }) => connection?.peerAddress,
  realip_remote_port: ({ connection }) => connection && String(connection.peerPort),
  server_addr: ({ connection }) => connection?.localAddress,
  proxy_protocol_addr: ({ connection }) => connection?.proxied?.sourceAddress,
  proxy_protocol_port: ({ connection }) => connection?.proxied && String(connection.proxied.sourcePort),
  proxy_protocol_server_addr: ({ connection }) => connection?.proxied?.destinationAddress,
  proxy_protocol_server_port: ({ connection }) => connection?.proxied && String(connection.proxied.destinationPort),
  server_port: (request) => String(request.localPort),
  // nginx's name for the block that serves every host.
  server_name: () => "_",
  hostname: () => hostname(),
  pid: () => String(process.pid),
  connection: ({ connection }) => connection && String(connection.id),
  connection_time: ({ connection }) => connection && seconds(performance.now() - connection.openedMs),
  pipe: ({ isPipelined }) => (isPipelined === true ? "p" : "."),
  connection_requests: ({ connection }) => connection && String(connection.requests),
  remote_user: ({ headers }) => remoteUserOf(headers),
  msec: (_request, atMs) => (atMs / 1000).toFixed(3),
  time_iso8601: (_request, atMs) => isoTime(atMs),
  time_local: (_request, atMs) => localTime(atMs),
  content_length: (request) => request.headers.get("content-length"),
  content_type: (request) => request.headers.get("content-type"),
};

/** The port that belongs to the client's address: nobody knows that of one that a field named (nginx: empty). */
function portOf({ peerAddress, peerPort, proxied }: ClientConnection, clientAddress: string): string {
  if (clientAddress === peerAddress) return String(peerPort);
  return clientAddress === proxied?.sourceAddress ? String(proxied.sourcePort) : "";
}

/** Tells the variables that a request has from its first line on. */
export function isHeadVariable(name: string): boolean {
  return Object.hasOwn(READERS, name) || name === REQUEST_ID || /^(?:http|arg|cookie|ssl)_./.test(name);
}

/** Tells whether a variable can have a value when a route is looked for. */
export function isKnownToRoutes(name: string): boolean {
  if (name.startsWith("ssl_")) return isTlsVariable(name.slice("ssl_".length));
  return isHeadVariable(name) || isBodyVariable(name);
}

const REQUEST_ID = "request_id";

/** The variables that `vars` and `_meta.filter` read; nothing is computed before it is asked for. */
export class RequestVariables implements VariableLookup {
  readonly #request: VariableSource;
  readonly #atMs: number;
  readonly #limits: BodyVariableLimits;
  #body: BodyVariables | undefined;
  #id: string | undefined;

  /** `atMs`: when the request began, Unix milliseconds. */
  constructor(request: VariableSource, atMs: number, limits: BodyVariableLimits = DEFAULT_BODY_VARIABLE_LIMITS) {
    this.#request = request;
    this.#atMs = atMs;
    this.#limits = limits;
    this.#body = undefined;
    this.#id = undefined;
  }

  /**
   * How much of the body has to be read before every variable asked for so far can be answered; 0 for nearly every
   * request. Until then such variables are absent.
   */
  get wantedBodyBytes(): number {
    return this.#body === undefined ? 0 : this.#body.wantedBytes;
  }

  get(name: string): unknown {
    if (name.startsWith("arg_")) return readArgument(this.#request.query, name.slice(4));
    if (name.startsWith("http_")) return readField(this.#request, name.slice(5));
    if (name.startsWith("cookie_")) return readCookie(this.#request, name.slice(7));
    if (isBodyVariable(name)) {
      this.#body ??= new BodyVariables(this.#request, this.#limits);
      return this.#body.get(name);
    }
    if (name.startsWith("ssl_")) return this.#request.connection?.tls?.variable(name.slice(4));
    if (Object.hasOwn(READERS, name)) return READERS[name]?.(this.#request, this.#atMs);
    return name === REQUEST_ID ? this.#requestId() : undefined;
  }

  /** The same for every reader. */
  #requestId(): string {
    this.#id ??= randomUUID().replaceAll("-", "");
    return this.#id;
  }
}

function readField(request: GatewayRequest, name: string): string | undefined {
  const wanted = name.toLowerCase().replaceAll("-", "_");
  const fields = request.headers.raw;
  const values: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const field = (fields[index] as string).toLowerCase().replaceAll("-", "_");
    if (field === wanted) values.push(fields[index + 1] as string);
  }
  return values.length === 0 ? undefined : values.join(wanted === "cookie" ? "; " : ", ");
}

function readCookie(request: GatewayRequest, name: string): string | undefined {
  for (const field of request.headers.getAll("cookie")) {
    for (const part of field.split(";")) {
      const equals = part.indexOf("=");
      if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
    }
  }
  return undefined;
}
