import type { PluginDeps, PluginInstance, PluginUpstream, Reply, RequestContext } from "@fngate/plugin-kit";
import { asksForBody, type ConditionTest, compileAnyOf, decideBy } from "../shared/conditions.ts";
import { takeTurns, type Weighted } from "../shared/weighted-choice.ts";
import type { TrafficSplitConfig, TrafficSplitRule } from "./schema.ts";

/** Where a request goes: an upstream by id, an inline one, or the route's own. */
type Destination = string | PluginUpstream | typeof OWN;

const OWN: unique symbol = Symbol("the route's own upstream");

interface CompiledRule {
  readonly applies: ConditionTest;
  readonly next: () => Destination | undefined;
}

/** What of an inline upstream counts (APISIX: traffic-split). */
const INLINE_FIELDS = [
  "name",
  "type",
  "hash_on",
  "pass_host",
  "upstream_host",
  "key",
  "nodes",
  "timeout",
  "scheme",
] as const;

/** Sends requests to upstreams by their share, under the first rule that applies. */
export function splitTraffic(config: TrafficSplitConfig, deps: PluginDeps): PluginInstance {
  const inline: PluginUpstream[] = [];
  const dispose = (): void => {
    for (const upstream of inline.splice(0)) upstream.release();
  };
  const compileInline = (upstream: Readonly<Record<string, unknown>>): PluginUpstream => {
    const compiled = deps.upstreams.compile(pick(upstream));
    inline.push(compiled);
    return compiled;
  };
  try {
    const rules = (config.rules ?? []).map((rule) => compileRule(rule, compileInline));
    const isBodyWanted = asksForBody(config.rules?.map(({ match }) => match));
    return { access: (context) => decideBy(isBodyWanted, context, () => apply(rules, context)), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function compileRule(
  { match, weighted_upstreams: entries }: TrafficSplitRule,
  compileInline: (upstream: Readonly<Record<string, unknown>>) => PluginUpstream,
): CompiledRule {
  const destinations = entries.map(
    ({ upstream, upstream_id: id, weight }): Weighted<Destination> => ({
      value: id === undefined ? (upstream === undefined ? OWN : compileInline(upstream)) : String(id),
      weight,
    }),
  );
  const isUnconditional = match === undefined || match.length === 0;
  return {
    applies: compileAnyOf(isUnconditional ? undefined : match.map(({ vars }) => vars)),
    next: takeTurns(destinations),
  };
}

function apply(rules: readonly CompiledRule[], { upstream, variables }: RequestContext): Reply | undefined {
  const destination = rules.find(({ applies }) => applies(variables))?.next();
  if (destination === undefined) return undefined;
  if (upstream.use(destination === OWN ? undefined : destination)) return undefined;
  const body = `failed to fetch upstream info by upstream id: ${String(destination)}`;
  return { kind: "reply", status: 500, body };
}

function pick(upstream: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    INLINE_FIELDS.flatMap((field) => (upstream[field] === undefined ? [] : [[field, upstream[field]]])),
  );
}
