import type { RouterKind } from "./router.ts";

/** In what the kinds of router differ. */
export interface Dialect {
  /** Whether hosts choose the tree; otherwise they are one more constraint. */
  readonly isHostFirst: boolean;
  /** Whether `:name` segments are dynamic. */
  readonly hasSegmentNames: boolean;
}

/** The kinds of APISIX's `apisix.router.http`. */
export const DIALECTS: Readonly<Record<RouterKind, Dialect>> = {
  radixtree_host_uri: { isHostFirst: true, hasSegmentNames: false },
  radixtree_uri: { isHostFirst: false, hasSegmentNames: false },
  radixtree_uri_with_parameter: { isHostFirst: false, hasSegmentNames: true },
};
