import { hasPort } from "../constraints/host-filter.ts";
import type { TextCondition } from "../expr/expression.ts";
import type { SegmentRun, SegmentWindow } from "../pattern/segment-run.ts";
import { backwards } from "../tree/backward.ts";
import type { Ranked } from "./ranking.ts";

/** Where a candidate stands in a group: its rank, and what the group may have sorted it by. */
export interface Placed extends Ranked {
  /** Host patterns, one of which a request has to fit; empty: hosts do not matter. */
  readonly filterHosts: readonly string[];
  /** Variable that has to be a text. */
  readonly condition: TextCondition | undefined;
  /** Segments behind the literal prefix that have to be a text. */
  readonly segments: SegmentRun | undefined;
}

/** Something that requests have one text of, which candidates can be looked up by. */
export type Facet =
  | ({ readonly kind: "segments" } & SegmentWindow)
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "host" };

/** Where a candidate is found by a facet. */
export interface FacetPlace {
  readonly facet: Facet;
  readonly keys: readonly FacetKey[];
}

/** A text, or the beginning of all texts that lead to the candidate. */
export interface FacetKey {
  readonly text: string;
  readonly slot: "exact" | "prefix";
}

type PlaceOf = (placed: Placed) => FacetPlace | undefined;

const HOST: Facet = { kind: "host" };

/** Hosts are written backwards, so that a wildcard is a prefix. One with a port is compared with another text. */
const byHost: PlaceOf = ({ filterHosts: hosts }) => {
  if (hosts.length === 0 || hosts.some(hasPort)) return undefined;
  return { facet: HOST, keys: hosts.map(hostKey) };
};

function hostKey(host: string): FacetKey {
  const isWildcard = host.startsWith("*");
  return { text: backwards(isWildcard ? host.slice(1) : host), slot: isWildcard ? "prefix" : "exact" };
}

const byVariable: PlaceOf = ({ condition }) =>
  condition && {
    facet: { kind: "variable", name: condition.variable },
    keys: [{ text: condition.text, slot: "exact" }],
  };

const bySegments: PlaceOf = ({ segments }) => {
  if (segments === undefined) return undefined;
  const { text, window } = segments;
  return { facet: { kind: "segments", ...window }, keys: [{ text, slot: "exact" }] };
};

/** What groups are sorted by, the outermost first. */
export const FACETS: readonly PlaceOf[] = [bySegments, byHost, byVariable];

/** Tells whether two facets give the same text of every request. */
export function isSameFacet(left: Facet, right: Facet): boolean {
  if (left.kind === "variable") return right.kind === "variable" && left.name === right.name;
  if (left.kind === "host") return right.kind === "host";
  return right.kind === "segments" && left.skipped === right.skipped && left.count === right.count;
}
