import { definePlugin } from "@fngate/plugin-kit";
import { trafficSplitSchema, upstreamsProblem } from "./schema.ts";
import { splitTraffic } from "./split.ts";

/** Splits requests among upstreams, by weight and by condition (APISIX: traffic-split). */
export const trafficSplit = definePlugin({
  name: "traffic-split",
  version: 0.1,
  priority: 966,
  schema: trafficSplitSchema,
  checkNested: upstreamsProblem,
  references: [{ path: "rules.weighted_upstreams.upstream_id", kind: "upstream" }],
  setup: splitTraffic,
});
