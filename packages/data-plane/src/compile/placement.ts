import type { RouterChange, RouteSpec } from "@fngate/router";
import { type Map as PersistentMap, Set as PersistentSet } from "immutable";
import { specOf } from "./routes.ts";
import type { CompiledRoute, CompiledService, Snapshot } from "./snapshot.ts";

/** Where routes stand in the router, and what moves to another place there yet. */
export interface Placement extends Pick<Snapshot, "router" | "hostHeirs"> {
  /** Routes that get other hosts with their service, where they are many; absent: everything is in its place. */
  readonly moves?: RouterMoves | undefined;
}

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

/** Routes that a service takes along at once: about a millisecond on any machine. */
const FEW_MOVES = 50;

/**
 * Brings the router up to date: the changed routes, and those that take their hosts from a service whose hosts
 * changed (APISIX routing, fields that select). Every other route stays as it is.
 */
export function placeRoutes(previous: Snapshot, tables: PlacementTables, changed: ChangedIds): Placement {
  const services = [...changed.services].filter(
    (id) => !haveSameHosts(previous.tables.service.get(id), tables.service.get(id)),
  );
  const most = services.reduce((sum, id) => sum + (previous.hostHeirs.get(id)?.size ?? 0), 0);
  if (changed.routes.size === 0 && most === 0) return previous;
  const heirs = new HeirEdits(previous.hostHeirs);
  for (const id of changed.routes) heirs.move(id, previous.tables.route.get(id), tables.route.get(id));
  const ofRoutes = new RouterMoves(previous.tables, tables, changed.routes);
  const placement = { router: previous.router.with(ofRoutes.take(changed.routes.size)), hostHeirs: heirs.done() };
  const moves = new RouterMoves(previous.tables, tables, heirsBesides(changed.routes, previous.hostHeirs, services));
  if (most > FEW_MOVES) return { ...placement, moves };
  return { ...placement, router: placement.router.with(moves.take()) };
}

/** Routes of the services that did not change themselves. Thousands are not listed before they are needed. */
function* heirsBesides(
  changed: ReadonlySet<string>,
  hostHeirs: Snapshot["hostHeirs"],
  services: readonly string[],
): Generator<string> {
  for (const serviceId of services) {
    for (const routeId of hostHeirs.get(serviceId) ?? []) {
      if (!changed.has(routeId)) yield routeId;
    }
  }
}

/** Routes on their way from where one configuration has them to where the next one wants them. */
export class RouterMoves {
  readonly #before: PlacementTables;
  readonly #after: PlacementTables;
  readonly #ids: Iterator<string>;
  #isOver = false;

  constructor(before: PlacementTables, after: PlacementTables, ids: Iterable<string>) {
    this.#before = before;
    this.#after = after;
    this.#ids = ids[Symbol.iterator]();
  }

  /** Known only after {@link take} found none left. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What the router has to change for the next ones. */
  take(count = FEW_MOVES): readonly RouterChange<CompiledRoute>[] {
    const changes: RouterChange<CompiledRoute>[] = [];
    while (changes.length < count && !this.#isOver) {
      const { done, value: id } = this.#ids.next();
      if (done === true) this.#isOver = true;
      else {
        // What the router has of a route follows from the tables that it was placed with: it need not be kept.
        const previous = specIn(this.#before, this.#before.route.get(id));
        changes.push({ previous, next: specIn(this.#after, this.#after.route.get(id)) });
      }
    }
    return changes;
  }
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
