import type { Router, RouterChange, RouteSpec } from "../router.ts";
import { type RouteSketch, routeOf } from "./sketch.ts";

/** Changes by id: a route put there, or `undefined` for its removal; one inner list at a time. */
export type History = readonly (readonly (readonly [string, Omit<RouteSketch, "id"> | undefined])[])[];

/** A router on the way, and what is in it. */
export interface Step {
  readonly router: Router<string>;
  readonly routes: readonly RouteSpec<string>[];
}

/** Every router on the way, each looked at only after the last one was made. */
export function replay(empty: Router<string>, history: History): Step[] {
  let router = empty;
  return changesOf(history).map(({ changes, routes }) => {
    router = router.with(changes);
    return { router, routes };
  });
}

/** The same in one draft, of which every second state is looked at. */
export function replayInDraft(empty: Router<string>, history: History): Step[] {
  const draft = empty.draft();
  return changesOf(history).flatMap(({ changes, routes }, index) => {
    draft.apply(changes);
    return index % 2 === 1 ? [{ router: draft.done(), routes }] : [];
  });
}

interface Changes {
  readonly changes: readonly RouterChange<string>[];
  /** What there is after them. */
  readonly routes: readonly RouteSpec<string>[];
}

function changesOf(history: History): Changes[] {
  const current = new Map<string, RouteSpec<string>>();
  return history.map((batch) => {
    const changes: RouterChange<string>[] = [];
    for (const [id, sketch] of batch) {
      const next = sketch === undefined ? undefined : routeOf({ ...sketch, id });
      changes.push({ previous: current.get(id), next });
      if (next === undefined) current.delete(id);
      else current.set(id, next);
    }
    return { changes, routes: [...current.values()] };
  });
}
