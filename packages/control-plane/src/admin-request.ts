import type { Request, Response } from "express";
import type { Authenticator, Caller } from "./auth.ts";
import type { AdminReply } from "./http-status.ts";
import type { PeerReader } from "./peer.ts";
import { type Precondition, parsePrecondition } from "./precondition.ts";
import type { ApiVersion } from "./render.ts";
import { type BodyOptions, type DecodedBody, decodeDocument, readBody } from "./request-body.ts";
import { respond } from "./respond.ts";
import { parseTtl } from "./ttl.ts";

/** A request that has passed every common check: key, body, `ttl`. */
export interface AdminRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly caller: Caller;
  /** Address the request is from; empty for a unix socket. */
  readonly peer: string;
  readonly body: DecodedBody;
  readonly ttlSeconds: number | undefined;
  /** Path parameters, percent-decoded. */
  readonly param: (name: string) => string | undefined;
  readonly rest: readonly string[];
  /** A header field by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  /** What the client wants to hold before its write. */
  readonly precondition: Precondition | undefined;
}

/** Answers one kind of request; throws `GatewayError`s for everything that has a status of its own. */
export type AdminHandler = (request: AdminRequest) => AdminReply | Promise<AdminReply>;

/** How requests tell who and where they are from. */
export interface Identification {
  /** Value of `X-API-VERSION`. */
  readonly version: ApiVersion;
  readonly authenticate: Authenticator;
  readonly peerOf: PeerReader;
}

/** An Express handler. */
export type HttpHandler = (request: Request, response: Response) => Promise<void>;

/**
 * Runs APISIX's checks in APISIX's order (key, body, `ttl`) and then the handler, whose answers carry `X-API-VERSION`
 * whatever their status; refusals before it do not.
 */
export function adminHandler(identify: Identification, handler: AdminHandler): HttpHandler {
  return handlerOf(identify, handler, { isVersioned: true });
}

/** {@link adminHandler} for what is not a resource: the answers never carry `X-API-VERSION`. */
export function plainHandler(identify: Identification, handler: AdminHandler): HttpHandler {
  return handlerOf(identify, handler, { isVersioned: false });
}

/** {@link plainHandler} for bodies that hold a whole configuration; the limits are those of a body otherwise. */
export function documentHandler(
  identify: Identification,
  handler: AdminHandler,
  limits: Pick<HandlerOptions, "maxBytes" | "precheck"> = {},
): HttpHandler {
  return handlerOf(identify, handler, { ...limits, isVersioned: false, decode: decodeDocument });
}

interface HandlerOptions extends BodyOptions {
  readonly isVersioned: boolean;
  /** Runs before the body is read and throws when there is no use in that. */
  readonly precheck?: (request: Request) => void;
}

function handlerOf(
  { authenticate, peerOf, version }: Identification,
  handler: AdminHandler,
  { isVersioned, precheck, ...bodyOptions }: HandlerOptions,
): HttpHandler {
  return async (request, response) => {
    const query = queryOf(request);
    const caller = authenticate(request, query);
    precheck?.(request);
    const body = await readBody(request, bodyOptions);
    const ttlSeconds = parseTtl(query);
    if (isVersioned) response.setHeader("X-API-VERSION", version);
    const { params } = request;
    const reply = await handler({
      method: request.method,
      query,
      caller,
      peer: peerOf(request),
      body,
      ttlSeconds,
      param: (name) => textOf(params[name]),
      rest: listOf(params["rest"]),
      header: (name) => textOf(request.headers[name]),
      precondition: parsePrecondition({
        ifMatch: request.headers["if-match"],
        ifNoneMatch: request.headers["if-none-match"],
      }),
    });
    await respond(request, response, reply);
  };
}

/** Refuses after the key was checked, before the body is read. */
export function refusalHandler(authenticate: Authenticator, refuse: (request: Request) => AdminReply): HttpHandler {
  return async (request, response) => {
    authenticate(request, queryOf(request));
    await respond(request, response, refuse(request));
  };
}

/** The query of a request as sent; Express's own parser is off. */
function queryOf(request: Request): URLSearchParams {
  const start = request.url.indexOf("?");
  // Its question mark stays: one is taken off, and a second one belongs to the first argument's name.
  return new URLSearchParams(start === -1 ? "" : request.url.slice(start));
}

function textOf(param: string | readonly string[] | undefined): string | undefined {
  return typeof param === "string" ? param : undefined;
}

function listOf(param: string | readonly string[] | undefined): readonly string[] {
  return typeof param === "object" ? param : [];
}
