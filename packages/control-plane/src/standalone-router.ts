import type { Clock, Logger } from "@fngate/kernel";
import { GatewayError } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import type { Keyring } from "@fngate/schema";
import type { DocumentStore } from "@fngate/store/document";
import { type Request, Router } from "express";
import { stringify } from "yaml";
import {
  type AdminRequest,
  documentHandler,
  type Identification,
  plainHandler,
  refusalHandler,
} from "./admin-request.ts";
import { configsValidation, parseDocumentBody } from "./configs-validation.ts";
import { DocumentUniqueness } from "./document-uniqueness.ts";
import type { AdminReply } from "./http-status.ts";
import { StandaloneConfiguration } from "./standalone-configuration.ts";

/** What the endpoints of standalone mode work with. */
export interface StandaloneScope {
  readonly document: Pick<DocumentStore, "publish">;
  readonly prefix: string;
  readonly catalog: PluginCatalog;
  /** What private keys in documents may be encrypted with. */
  readonly keyring: Keyring | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Largest document in bytes. APISIX has no limit; this one holds several hundred thousand routes. */
const MAX_DOCUMENT_BYTES = 256 * 1_048_576;

const NOT_FOUND = { status: 404, body: { error_msg: "not found" } };

/** The Admin API where the configuration is one document. Source: APISIX, standalone mode. */
export function standaloneRouter(identify: Identification, scope: StandaloneScope): Router {
  const { catalog, keyring } = scope;
  const configuration = new StandaloneConfiguration(scope);
  const router = Router({ caseSensitive: true });
  router.head(
    "/configs",
    plainHandler(identify, () => ({ status: 200, headers: metadata(configuration) })),
  );
  router.get(
    "/configs",
    plainHandler(identify, (request) => show(configuration, request)),
  );
  const put = (request: AdminRequest) => replace(configuration, request, scope.logger);
  router.put("/configs", documentHandler(identify, put, { maxBytes: MAX_DOCUMENT_BYTES, precheck: requireDigest }));
  const validation = configsValidation(() => ({
    catalog,
    keyring,
    uniqueness: new DocumentUniqueness(catalog),
    hasVersions: true,
  }));
  router.post("/configs/validate", documentHandler(identify, validation));
  router.all(
    "/{*rest}",
    refusalHandler(identify.authenticate, () => NOT_FOUND),
  );
  return router;
}

function show(configuration: StandaloneConfiguration, { header }: AdminRequest): AdminReply {
  const headers = metadata(configuration);
  const document = configuration.render();
  if (header("accept")?.startsWith("application/yaml") !== true) return { status: 200, body: document, headers };
  return {
    status: 200,
    body: stringify(document, { aliasDuplicateObjects: false }),
    headers: { ...headers, "Content-Type": "application/yaml" },
  };
}

async function replace(
  configuration: StandaloneConfiguration,
  { body, caller, header, method, peer }: AdminRequest,
  logger: Logger,
): Promise<AdminReply> {
  const digest = header("x-digest") ?? "";
  const document = parseDocumentBody(body);
  if (configuration.digest === digest) return { status: 204 };
  const revision = await configuration.replace(document, digest);
  const audit = { audit: true, method, key: "configs", adminKey: caller.name, peer, digest, newRevision: revision };
  logger.info(audit, "configuration changed");
  return { status: 202, headers: metadata(configuration) };
}

function requireDigest({ headers }: Request): void {
  if (headers["x-digest"] === undefined) throw new GatewayError("REQUEST_INVALID", "missing digest header");
}

/** Where the document stands, for clients that compare servers. */
function metadata({ digest, lastModified }: StandaloneConfiguration): Readonly<Record<string, string>> {
  if (digest === undefined || lastModified === undefined) return {};
  return { "X-Last-Modified": String(lastModified), "X-Digest": digest };
}
