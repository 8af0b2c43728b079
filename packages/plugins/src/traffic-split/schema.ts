import type { NestedCheck } from "@fngate/plugin-kit";
import { z } from "zod";
import { checkExpressions } from "../shared/conditions.ts";

const weightedUpstream = z.looseObject({
  upstream_id: z
    .union([z.string(), z.int().min(1)])
    .optional()
    .describe("Id of an upstream."),
  upstream: z
    .looseObject({})
    .optional()
    .describe(
      "An upstream as the Admin API takes it; health checks, retries, `keepalive_pool` and `tls` do not count.",
    ),
  weight: z.int().min(0).default(1).describe("Share of the requests."),
});

const rule = z.looseObject({
  match: z
    .array(z.looseObject({ vars: z.unknown().optional() }))
    .optional()
    .describe("Expressions (`vars`) of which one has to hold; absent: the rule always applies."),
  weighted_upstreams: z
    .array(weightedUpstream)
    .min(1)
    .max(20)
    .default([{ weight: 1 }])
    .describe("Where requests go; an entry with nothing but a weight is the route's own upstream."),
});

/** Configuration of the plugin (APISIX: traffic-split). */
export const trafficSplitSchema = z
  .looseObject({
    rules: z
      .array(rule)
      .optional()
      .describe("The first rule that applies decides; without one the route's upstream does."),
  })
  .superRefine(({ rules }, context) => {
    const expressions = (rules ?? []).flatMap(({ match }) => match ?? []).map(({ vars }) => vars);
    checkExpressions(context, expressions, "failed to validate the 'vars' expression: ");
  });

/** {@link trafficSplitSchema} with defaults filled in. */
export type TrafficSplitConfig = z.output<typeof trafficSplitSchema>;

/** One of the rules, as parsed. */
export type TrafficSplitRule = z.output<typeof rule>;

/** What is wrong with the first unsound upstream of the configuration itself, in APISIX's words. */
export function upstreamsProblem({ rules = [] }: TrafficSplitConfig, plugins: NestedCheck): string | undefined {
  for (const [ruleIndex, { weighted_upstreams: entries }] of rules.entries()) {
    for (const [index, { upstream }] of entries.entries()) {
      const problem = upstream === undefined ? undefined : plugins.upstreamProblem(upstream);
      if (problem !== undefined) return placed(problem, ruleIndex, index);
    }
  }
  return undefined;
}

function placed(problem: string, ruleIndex: number, index: number): string {
  const inRule = `property "rules" validation failed: failed to validate item ${ruleIndex + 1}`;
  const inEntry = `property "weighted_upstreams" validation failed: failed to validate item ${index + 1}`;
  return `${inRule}: ${inEntry}: property "upstream" validation failed: ${problem}`;
}
