import type { RouterChange, RouteSpec } from "@fngate/router";
import { type Map as PersistentMap, Set as PersistentSet } from "immutable";
import { specOf } from "./routes.ts";
import type { CompiledRoute, CompiledService, Snapshot } from "./snapshot.ts";

/** Where routes stand in the router. */
export type Placement = Pick<Snapshot, "router" | "hostHeirs">;

/** What changed in the tables that the router depends on: ids only. */
export interface ChangedIds {
  readonly routes: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
}

/** The tables after the change. */
export interface PlacementTables {
  readonly route: PersistentMap<string, CompiledRoute>;
  readonly service: PersistentMap<string, CompiledService>;
}

/**
 * Brings the router up to date: the changed routes, and those that take their hosts from a service whose hosts
 * changed (APISIX routing, fields that select). Every other route stays as it is.
 */
export function placeRoutes(previous: Snapshot, tables: PlacementTables, changed: ChangedIds): Placement {
  const moved = new Set(changed.routes);
  for (const serviceId of changed.services) {
    if (haveSameHosts(previous.tables.service.get(serviceId), tables.service.get(serviceId))) continue;
    for (const routeId of previous.hostHeirs.get(serviceId) ?? []) moved.add(routeId);
  }
  if (moved.size === 0) return previous;
  const changes: RouterChange<CompiledRoute>[] = [];
  const heirs = new HeirEdits(previous.hostHeirs);
  for (const id of moved) {
    const [before, after] = [previous.tables.route.get(id), tables.route.get(id)];
    heirs.move(id, before, after);
    // What the router has of a route follows from the tables that it was placed with: it need not be kept.
    changes.push({ previous: specIn(previous.tables, before), next: specIn(tables, after) });
  }
  return { router: previous.router.with(changes), hostHeirs: heirs.done() };
}

function specIn(tables: PlacementTables, route: CompiledRoute | undefined): RouteSpec<CompiledRoute> | undefined {
  if (route === undefined || !route.isEnabled) return undefined;
  const service = route.serviceId === undefined ? undefined : tables.service.get(route.serviceId);
  return specOf(route, service?.hosts ?? []);
}

function haveSameHosts(one: CompiledService | undefined, other: CompiledService | undefined): boolean {
  const left = one?.hosts ?? [];
  const right = other?.hosts ?? [];
  return left.length === right.length && left.every((host, index) => host === right[index]);
}

/** Edits the index from service to the routes that inherit its hosts. */
class HeirEdits {
  #heirs: Snapshot["hostHeirs"];

  constructor(heirs: Snapshot["hostHeirs"]) {
    this.#heirs = heirs.asMutable();
  }

  move(id: string, before: CompiledRoute | undefined, after: CompiledRoute | undefined): void {
    const from = heritageOf(before);
    const to = heritageOf(after);
    if (from === to) return;
    if (from !== undefined) this.#edit(from, (ids) => ids.delete(id));
    if (to !== undefined) this.#edit(to, (ids) => ids.add(id));
  }

  done(): Snapshot["hostHeirs"] {
    return this.#heirs.asImmutable();
  }

  #edit(serviceId: string, edit: (ids: PersistentSet<string>) => PersistentSet<string>): void {
    const ids = edit(this.#heirs.get(serviceId) ?? PersistentSet());
    this.#heirs = ids.size === 0 ? this.#heirs.delete(serviceId) : this.#heirs.set(serviceId, ids);
  }
}

/** The service whose hosts a route takes over. */
function heritageOf(route: CompiledRoute | undefined): string | undefined {
  return route === undefined || route.hosts.length > 0 ? undefined : route.serviceId;
}
