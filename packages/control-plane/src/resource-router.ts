import type { Logger } from "@fngate/kernel";
import { GatewayError } from "@fngate/kernel";
import type { ResourceMethod } from "@fngate/schema";
import type { Revision } from "@fngate/store";
import type { AdminHandler, AdminRequest } from "./admin-request.ts";
import type { AdminReply } from "./http-status.ts";
import { renderDeleted, renderOne, renderPage, renderWritten } from "./render.ts";
import type { ResourceService, Written } from "./resource-service.ts";

/** What the verbs work with. */
interface VerbScope {
  readonly service: ResourceService;
  readonly request: AdminRequest;
  /** Id in the URL. */
  readonly id: string | undefined;
  readonly audit: (change: Change) => void;
}

/** A successful write, for the audit log. */
interface Change {
  readonly key: string;
  readonly oldRevision: Revision | undefined;
  readonly newRevision: Revision;
}

/** The uniform verbs, once for every kind. Segments behind the id matter to PATCH only, as in APISIX. */
const VERBS: Readonly<Record<ResourceMethod, (scope: VerbScope) => Promise<AdminReply>>> = {
  GET: async ({ service, request, id }) =>
    id === undefined ? renderPage(await service.list(request.query)) : renderOne(await service.get(id)),
  PUT: async ({ service, request, id, audit }) =>
    written(await service.replace({ id, body: request.body, ttlSeconds: request.ttlSeconds }), audit),
  POST: async ({ service, request, id, audit }) =>
    written(await service.create({ id, body: request.body, ttlSeconds: request.ttlSeconds }), audit),
  PATCH: async ({ service, request, id, audit }) => {
    const { body, ttlSeconds, rest: path } = request;
    const change = await service.patch({ id, path, body, ttlSeconds });
    audit(change);
    return renderWritten({ ...change, isNew: false });
  },
  DELETE: async ({ service, request, id, audit }) => {
    const change = await service.remove(id, request.query.get("force") === "true");
    audit(change);
    return renderDeleted(change.key);
  },
};

/** Answers every request for one kind of resource; raises `RESOURCE_METHOD_UNSUPPORTED` for verbs it lacks. */
export function resourceHandler(service: ResourceService, logger: Logger): AdminHandler {
  const { label, methods } = service.definition;
  return (request) => {
    const method = methods.find((candidate) => candidate === request.method);
    if (method === undefined) {
      throw new GatewayError("RESOURCE_METHOD_UNSUPPORTED", `not supported \`${request.method}\` method for ${label}`);
    }
    const audit = (change: Change) => logChange(logger, request, change);
    return VERBS[method]({ service, request, id: request.param("id"), audit });
  };
}

function written(change: Written, audit: VerbScope["audit"]): AdminReply {
  audit(change);
  return renderWritten(change);
}

/** Who changed what, from where, in which revisions. Bodies and keys' secrets have no place here. */
function logChange(logger: Logger, { method, caller, peer }: AdminRequest, change: Change): void {
  const { key, oldRevision, newRevision } = change;
  logger.info(
    { audit: true, method, key, adminKey: caller.name, peer, oldRevision, newRevision },
    "configuration changed",
  );
}
