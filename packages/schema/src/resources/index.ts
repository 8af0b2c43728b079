import type { z } from "zod";
import type { ResourceDefinition } from "../definition.ts";
import { consumer } from "./consumer.ts";
import { consumerGroup } from "./consumer-group.ts";
import { credential } from "./credential.ts";
import { globalRule } from "./global-rule.ts";
import { graphqlCostDecoration } from "./graphql-cost-decoration.ts";
import { pluginConfig } from "./plugin-config.ts";
import { pluginMetadata } from "./plugin-metadata.ts";
import { proto } from "./proto.ts";
import { route } from "./route.ts";
import { secret } from "./secret.ts";
import { service } from "./service.ts";
import { ssl } from "./ssl.ts";
import { streamRoute } from "./stream-route.ts";
import { upstream } from "./upstream.ts";

const definitions = {
  route,
  service,
  upstream,
  plugin_config: pluginConfig,
  consumer,
  credential,
  consumer_group: consumerGroup,
  global_rule: globalRule,
  plugin_metadata: pluginMetadata,
  ssl,
  proto,
  stream_route: streamRoute,
  secret,
  graphql_cost_decoration: graphqlCostDecoration,
} as const;

type Definitions = typeof definitions;

/** Kind of a resource, e.g. `route`. */
export type Kind = keyof Definitions;

/** A resource as the data plane sees it: validated, defaults filled in. */
export type Resource<TKind extends Kind> = z.output<Definitions[TKind]["schema"]>;

/** A resource as clients send it and the store keeps it. */
export type StoredResource<TKind extends Kind> = z.input<Definitions[TKind]["schema"]>;

/** Definition of a kind, with the types its schema gives. */
export type DefinitionOf<TKind extends Kind> = ResourceDefinition<
  TKind,
  z.ZodType<Resource<TKind>, StoredResource<TKind>>
>;

/** Every kind of resource, by name, by path and as lists. */
export const registry = {
  /** Every kind, in the order in which APISIX looks for users of an object. */
  all: (): readonly ResourceDefinition[] => ALL,
  /** The definition of a known kind. */
  byKind,
  /** The definition under a path segment (`routes`), or nothing. */
  byPlural: (plural: string): ResourceDefinition | undefined => ALL.find((definition) => definition.plural === plural),
};

const ALL: readonly ResourceDefinition[] = Object.values(definitions);
const BY_KIND: ReadonlyMap<string, ResourceDefinition> = new Map(
  ALL.map((definition) => [definition.kind, definition]),
);

function byKind<TKind extends Kind>(kind: TKind): DefinitionOf<TKind>;
function byKind(kind: string): ResourceDefinition | undefined;
function byKind(kind: string): ResourceDefinition | undefined {
  return BY_KIND.get(kind);
}
