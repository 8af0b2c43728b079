import type { z } from "zod";
import type { ResourceDefinition } from "../definition.ts";
import { route } from "./route.ts";
import { service } from "./service.ts";
import { upstream } from "./upstream.ts";

const definitions = { route, service, upstream } as const;

type Definitions = typeof definitions;

/** Kind of a resource, e.g. `route`. */
export type Kind = keyof Definitions;

/** A resource as the data plane sees it: validated, defaults filled in. */
export type Resource<TKind extends Kind> = z.output<Definitions[TKind]["schema"]>;

/** A resource as clients send it and the store keeps it. */
export type StoredResource<TKind extends Kind> = z.input<Definitions[TKind]["schema"]>;

/** Every kind of resource the gateway knows. */
export const registry = {
  /** All definitions, in the order the Admin API lists them. */
  all: (): readonly ResourceDefinition[] => ALL,
  /** The definition of a kind. */
  byKind,
  /** The definition behind a path segment of the Admin API (`routes`), or nothing. */
  byPlural: (plural: string): ResourceDefinition | undefined => ALL.find((definition) => definition.plural === plural),
};

const ALL: readonly ResourceDefinition[] = Object.values(definitions);

function byKind<TKind extends Kind>(kind: TKind): Definitions[TKind];
function byKind(kind: string): ResourceDefinition | undefined;
function byKind(kind: string): ResourceDefinition | undefined {
  return ALL.find((definition) => definition.kind === kind);
}
