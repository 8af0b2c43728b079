import { segmentsOf } from "../pattern/segment-run.ts";
import type { MatchInput } from "../router.ts";
import { endsAlong, stepBack } from "../tree/backward.ts";
import { type RadixNode, runsThrough, stepDown } from "../tree/radix-node.ts";
import type { CandidateGroup } from "./candidate-group.ts";
import type { Facet } from "./facets.ts";
import type { Search } from "./search.ts";

type GroupTree<TValue> = RadixNode<CandidateGroup<TValue>>;

/** A search of one request under way. */
interface Running<TValue> {
  readonly input: MatchInput;
  readonly search: Search<TValue>;
}

/** Searches the groups that a request's text of the facet leads to. */
export function searchFacet<TValue>(facet: Facet, root: GroupTree<TValue>, running: Running<TValue>): void {
  if (facet.kind === "host") {
    searchHost(root, running);
    return;
  }
  const { input, search } = running;
  const text = facet.kind === "variable" ? input.variables.get(facet.name) : segmentsOf(input.path, facet);
  if (typeof text === "string") groupAt(root, text)?.search(input, search);
}

function groupAt<TValue>(root: GroupTree<TValue>, text: string): CandidateGroup<TValue> | undefined {
  let node = runsThrough(root, text, 0) ? root : undefined;
  while (node !== undefined && node.end < text.length) node = stepDown(node, text);
  return node?.exact;
}

/** The host entry and all wildcards. Hosts are read from their end: no request pays for a reversed copy. */
function searchHost<TValue>(root: GroupTree<TValue>, { input, search }: Running<TValue>): void {
  const { host } = input;
  let node = endsAlong(root, host, 0) ? root : undefined;
  while (node !== undefined) {
    node.prefix?.search(input, search);
    if (node.end === host.length) {
      node.exact?.search(input, search);
      return;
    }
    node = stepBack(node, host);
  }
}
