import { GatewayError, isGatewayError, type Logger, messageOf } from "@fngate/kernel";
import type { PluginDefinition } from "@fngate/plugin-kit";
import type { ResourceDefinition } from "@fngate/schema";
import express, { type ErrorRequestHandler, type Express, type RequestHandler, Router } from "express";
import {
  type AdminHandler,
  adminHandler,
  documentHandler,
  type HttpHandler,
  type Identification,
  plainHandler,
  refusalHandler,
} from "./admin-request.ts";
import { type AllowList, createAllowList } from "./allow-list.ts";
import { createAuthenticator } from "./auth.ts";
import { type CatalogEndpoints, catalogEndpoints } from "./catalog-endpoints.ts";
import { clientCertificateRequired } from "./client-certificate.ts";
import { configsValidation } from "./configs-validation.ts";
import { dashboard } from "./dashboard.ts";
import { isExpected, replyOfError } from "./http-status.ts";
import { renderOpenApi } from "./openapi/document.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { createOriginGuard, type OriginGuard } from "./origin-guard.ts";
import { createPeerReader, type PeerReader } from "./peer.ts";
import { shapesOf } from "./render.ts";
import { parseRequestPath, renderRequestPath } from "./request-path.ts";
import { resourceHandler } from "./resource-router.ts";
import { type ResourceScope, ResourceService } from "./resource-service.ts";
import { respond } from "./respond.ts";
import { standaloneRouter } from "./standalone-router.ts";

const BASE = "/apisix/admin";
const METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH"];
const NOT_FOUND = { status: 404, body: { error_msg: "not found" } };
const FORBIDDEN = { status: 403, body: { error_msg: "forbidden" } };
const STREAM_DISABLED = {
  status: 400,
  body: { error_msg: "stream mode is disabled, can not add stream routes" },
};

/** Wires the Admin API together. A new kind of resource needs no line here: it comes with the registry. */
export function createApp(options: ControlPlaneOptions, scope: ResourceScope): Express {
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", false).enable("case sensitive routing");
  if (options.tls?.ca !== undefined) app.use(clientCertificateRequired);
  const peerOf = createPeerReader(options.realIpFrom);
  app.use(allowedPeersOnly(createAllowList(options.allowedAddresses), peerOf));
  if (options.dashboardDirectory !== undefined) app.use(dashboard(options.dashboardDirectory));
  app.use(ownPagesOnly(createOriginGuard(options), options.serverHeader));
  app.use(commonHeaders(options));
  app.use(canonicalPath);
  app.head(BASE, (request, response) => respond(request, response, { status: 200 }));
  if (options.isCorsEnabled) app.options(`${BASE}{*rest}`, preflight);
  app.use(BASE, routerOf({ ...options, peerOf }, scope));
  app.use((request, response) => respond(request, response, NOT_FOUND));
  app.use(errorHandler(options.logger));
  return app;
}

/** A configuration that is one document has other endpoints, and none for single objects. */
function routerOf(options: ControlPlaneOptions & { readonly peerOf: PeerReader }, scope: ResourceScope): Router {
  const { document, peerOf } = options;
  if (document === undefined) return adminRouter(options, scope);
  return standaloneRouter(
    { authenticate: createAuthenticator(options), peerOf, version: "v3" },
    { ...options, document },
  );
}

function adminRouter(options: ControlPlaneOptions & { readonly peerOf: PeerReader }, scope: ResourceScope): Router {
  const router = Router({ caseSensitive: true });
  const { peerOf, apiVersion = "v3" } = options;
  const identify = { authenticate: createAuthenticator(options), peerOf, version: apiVersion };
  const { authenticate } = identify;
  router.use((request, _response, next) => next(METHODS.includes(request.method) ? undefined : "router"));
  const validation = configsValidation(() => scope);
  serveCatalog(router, identify, catalogEndpoints({ ...scope, reloadPlugins: options.reloadPlugins }));
  // It describes the current shapes of answers only.
  if (apiVersion === "v3") router.get("/openapi.json", plainHandler(identify, openApiEndpoint(options, scope)));
  router.post("/configs/validate", documentHandler(identify, validation));
  serveResources(router, identify, { options, scope });
  router.all(
    "/:kind{/*rest}",
    refusalHandler(authenticate, ({ params }) => unsupported(params["kind"])),
  );
  return router;
}

/** Rendered when it is first asked for: most processes never are. */
function openApiEndpoint({ serverHeader, isStreamEnabled }: ControlPlaneOptions, scope: ResourceScope): AdminHandler {
  let document: object | undefined;
  let plugins: readonly PluginDefinition[] = [];
  return () => {
    const current = scope.catalog.all();
    // Plugins that were loaded again have other schemas.
    if (current !== plugins) document = undefined;
    plugins = current;
    document ??= renderOpenApi({
      kinds: scope.kinds.all().filter(({ subsystem }) => subsystem !== "stream" || isStreamEnabled),
      catalog: scope.catalog,
      version: serverHeader.split("/")[1] ?? "",
    });
    return { status: 200, body: document };
  };
}

function serveResources(
  router: Router,
  identify: Identification,
  { options, scope }: { readonly options: ControlPlaneOptions; readonly scope: ResourceScope },
): void {
  const tools = { logger: options.logger, shapes: shapesOf(identify.version) };
  const pathOf = ({ plural, naming }: ResourceDefinition) => naming?.path ?? `/${plural}`;
  // Longer paths first: `/consumers/<name>/credentials` lies within `/consumers/<name>` and what may follow it.
  const definitions = scope.kinds.all().toSorted((left, right) => pathOf(right).length - pathOf(left).length);
  for (const definition of definitions) {
    const isMissing = definition.subsystem === "stream" && !options.isStreamEnabled;
    const handler = isMissing
      ? refusalHandler(identify.authenticate, () => STREAM_DISABLED)
      : adminHandler(identify, resourceHandler(new ResourceService(definition, scope), tools));
    router.all(`${pathOf(definition)}{/:id}{/*rest}`, handler);
    const alone = definition.naming?.parent?.alone;
    if (alone !== undefined)
      router.all(
        `/${definition.plural}{/*rest}`,
        adminHandler(identify, () => refuse(alone)),
      );
  }
}

function serveCatalog(router: Router, identify: Identification, endpoints: CatalogEndpoints): void {
  const notFound = refusalHandler(identify.authenticate, () => NOT_FOUND);
  const get = (path: string, handler: HttpHandler) => router.get(path, handler).all(path, notFound);
  router.get("/plugins/list", plainHandler(identify, endpoints.listPlugins));
  router.put("/plugins/reload", plainHandler(identify, endpoints.reloadPlugins));
  router.all("/plugins/reload", plainHandler(identify, endpoints.refuseReload));
  router.post("/schema/validate/:plural{/*rest}", plainHandler(identify, endpoints.validate));
  get("/schema/plugins/:id{/*rest}", adminHandler(identify, endpoints.showPlugin));
  get("/plugins{/:id}{/*rest}", adminHandler(identify, endpoints.showPlugin));
  get("/schema{/:id}{/*rest}", adminHandler(identify, endpoints.showSchema));
}

function refuse(problem: string): never {
  throw new GatewayError("REQUEST_INVALID", problem);
}

function unsupported(kind: unknown) {
  return { status: 404, body: { error_msg: `Unsupported resource type: ${String(kind)}` } };
}

/** Runs before everything else, so that a stranger learns nothing, not even the server's name. */
function allowedPeersOnly(isAllowed: AllowList, peerOf: PeerReader): RequestHandler {
  return async (request, response, next) => {
    if (isAllowed(peerOf(request))) next();
    else await respond(request, response, FORBIDDEN);
  };
}

/** A refused page gets no CORS fields, so that it cannot read why; whoever looks at the network does. */
function ownPagesOnly(reasonOf: OriginGuard, serverHeader: string): RequestHandler {
  return async (request, response, next) => {
    const reason = reasonOf(request);
    if (reason === undefined) {
      next();
      return;
    }
    response.setHeader("Server", serverHeader);
    await respond(request, response, { status: 403, body: { error_msg: reason } });
  };
}

function commonHeaders({ serverHeader, isCorsEnabled }: ControlPlaneOptions): RequestHandler {
  return (request, response, next) => {
    response.setHeader("Server", serverHeader);
    if (isCorsEnabled) {
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.setHeader("Access-Control-Allow-Credentials", "true");
      response.setHeader("Access-Control-Max-Age", "3600");
      if (request.method !== "OPTIONS") response.setHeader("Access-Control-Expose-Headers", "*");
    }
    next();
  };
}

/** Rewrites the URL to the one spelling that routes know, as nginx does before it matches locations. */
const canonicalPath: RequestHandler = (request, _response, next) => {
  const [rawPath = ""] = request.url.split("?", 1);
  const segments = parseRequestPath(rawPath);
  if (segments === undefined) throw new GatewayError("REQUEST_INVALID", "invalid request path");
  request.url = renderRequestPath(segments) + request.url.slice(rawPath.length);
  next();
};

const preflight: RequestHandler = async (request, response) => {
  response.setHeader("Access-Control-Allow-Methods", "POST, GET, PUT, OPTIONS, DELETE, PATCH");
  response.setHeader("Access-Control-Allow-Headers", "*");
  response.setHeader("Content-Type", "text/plain");
  await respond(request, response, { status: 200 });
};

function errorHandler(logger: Logger): ErrorRequestHandler {
  // biome-ignore lint/complexity/useMaxParams: Express tells error handlers by their four parameters
  return async (error: unknown, request, response, _next) => {
    if (!isExpected(error)) logger.error({ error: messageOf(error), method: request.method }, "admin request failed");
    else if (isGatewayError(error) && error.code.startsWith("STORE_")) {
      logger.warn({ code: error.code, error: error.message, method: request.method }, "store call failed");
    }
    if (response.headersSent) response.destroy();
    else await respond(request, response, replyOfError(error));
  };
}
