import type { Logger } from "@fngate/kernel";
import { GatewayError } from "@fngate/kernel";
import type { ResourceMethod } from "@fngate/schema";
import type { Revision } from "@fngate/store";
import type { AdminHandler, AdminRequest } from "./admin-request.ts";
import type { AdminReply } from "./http-status.ts";
import { type Place, placeOf } from "./identifier.ts";
import { renderDeleted, renderOne, renderPage, renderWritten } from "./render.ts";
import type { ResourceService, Written } from "./resource-service.ts";

/** What the verbs work with. */
interface VerbScope {
  readonly service: ResourceService;
  readonly request: AdminRequest;
  readonly place: Place;
  /** Segments behind the id. */
  readonly path: readonly string[];
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
  GET: async ({ service, request, place }) =>
    place.id === undefined ? renderPage(await service.list(place, request.query)) : renderOne(await service.get(place)),
  PUT: async ({ service, request, place, audit }) => written(await service.replace({ ...request, place }), audit),
  POST: async ({ service, request, place, audit }) => written(await service.create({ ...request, place }), audit),
  PATCH: async ({ service, request, place, path, audit }) => {
    const change = await service.patch({ ...request, place, path });
    return written({ ...change, isNew: false }, audit);
  },
  DELETE: async ({ service, request, place, audit }) => {
    const isForced = request.query.get("force") === "true";
    const change = await service.remove({ place, isForced, precondition: request.precondition });
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
    const { param, rest } = request;
    const { place, path } = placeOf(service.definition, { parent: param("parent"), id: param("id"), rest });
    return VERBS[method]({ service, request, place, path, audit });
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
