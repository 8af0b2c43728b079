import type { Logger } from "@fngate/kernel";
import { GatewayError } from "@fngate/kernel";
import type { ResourceMethod } from "@fngate/schema";
import type { Revision } from "@fngate/store";
import type { AdminHandler, AdminRequest } from "./admin-request.ts";
import type { AdminReply } from "./http-status.ts";
import { type Place, placeOf } from "./identifier.ts";
import type { Written } from "./object-writer.ts";
import type { AnswerShapes } from "./render.ts";
import type { ResourceService } from "./resource-service.ts";

/** What the verbs work with. */
interface VerbScope {
  readonly service: ResourceService;
  readonly request: AdminRequest;
  readonly place: Place;
  /** Segments behind the id. */
  readonly path: readonly string[];
  readonly audit: (change: Change) => void;
  readonly shapes: AnswerShapes;
}

/** A successful write, for the audit log. */
interface Change {
  readonly key: string;
  readonly oldRevision: Revision | undefined;
  readonly newRevision: Revision;
}

/** The uniform verbs, once for every kind. Segments behind the id matter to PATCH only, as in APISIX. */
const VERBS: Readonly<Record<ResourceMethod, (scope: VerbScope) => Promise<AdminReply>>> = {
  GET: async ({ service, request, place, shapes }) => {
    if (place.id !== undefined) return shapes.one(await service.get(place));
    const query = shapes.hasQueries ? request.query : new URLSearchParams();
    return shapes.page(await service.list(place, query), service.directoryOf(place));
  },
  PUT: async (scope) => {
    const { service, request, place } = scope;
    return written(await service.replace({ ...request, place }), "PUT", scope);
  },
  POST: async (scope) => {
    const { service, request, place } = scope;
    return written(await service.create({ ...request, place }), "POST", scope);
  },
  PATCH: async (scope) => {
    const { service, request, place, path } = scope;
    const change = await service.patch({ ...request, place, path });
    return written({ ...change, isNew: false }, "PATCH", scope);
  },
  DELETE: async ({ service, request, place, audit, shapes }) => {
    const isForced = request.query.get("force") === "true";
    const change = await service.remove({ place, isForced, precondition: request.precondition });
    audit(change);
    return shapes.deleted(change.key);
  },
};

/** Answers every request for one kind of resource; raises `RESOURCE_METHOD_UNSUPPORTED` for verbs it lacks. */
export function resourceHandler(
  service: ResourceService,
  { logger, shapes }: { readonly logger: Logger; readonly shapes: AnswerShapes },
): AdminHandler {
  const { label, methods } = service.definition;
  return (request) => {
    const method = methods.find((candidate) => candidate === request.method);
    if (method === undefined) {
      throw new GatewayError("RESOURCE_METHOD_UNSUPPORTED", `not supported \`${request.method}\` method for ${label}`);
    }
    const audit = (change: Change) => logChange(logger, request, change);
    const { param, rest } = request;
    const { place, path } = placeOf(service.definition, { parent: param("parent"), id: param("id"), rest });
    return VERBS[method]({ service, request, place, path, audit, shapes });
  };
}

function written(change: Written, method: "PUT" | "POST" | "PATCH", { audit, shapes }: VerbScope): AdminReply {
  audit(change);
  return shapes.written(change, method);
}

/** Who changed what, from where, in which revisions. Bodies and keys' secrets have no place here. */
function logChange(logger: Logger, { method, caller, peer }: AdminRequest, change: Change): void {
  const { key, oldRevision, newRevision } = change;
  logger.info(
    { audit: true, method, key, adminKey: caller.name, peer, oldRevision, newRevision },
    "configuration changed",
  );
}
