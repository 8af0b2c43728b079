import type { z } from "zod";

/** Verbs of the Admin API. */
export type ResourceMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A field that names another resource by id. */
export interface ResourceReference {
  /** Path of the field inside the object, e.g. `["upstream_id"]`. */
  readonly path: readonly string[];
  /** Kind that the id belongs to, e.g. `upstream`. */
  readonly kind: string;
  /** A rule on the object that was found, e.g. that a certificate is a client's; returns the whole `error_msg`. */
  readonly accepts?: (target: Readonly<Record<string, unknown>>, id: string) => string | undefined;
  /** Whole `error_msg` when it does not exist; default: `failed to fetch <label> info by <label> id [<id>], response code: 404`. */
  readonly missing?: (id: string) => string;
  /** True when what it names may be deleted all the same: APISIX looks for some users only. */
  readonly isWeak?: true;
}

/**
 * One kind of resource, as data: the Admin API, the JSON Schemas and the compiler all read it, so that shared code
 * never asks which kind it has in hand.
 */
export interface ResourceDefinition<TKind extends string = string, TSchema extends z.ZodType = z.ZodType> {
  /** Singular name, e.g. `plugin_config`. */
  readonly kind: TKind;
  /** Path segment of the Admin API and directory in the store, e.g. `plugin_configs`. */
  readonly plural: string;
  /** The kind in messages, e.g. `plugin config`. */
  readonly label: string;
  /** Parsing it fills APISIX's defaults; the store keeps what the client sent. */
  readonly schema: TSchema;
  /** Verbs the kind has; the others answer 405. */
  readonly methods: readonly ResourceMethod[];
  /** Whether writes stamp `create_time` and `update_time`. */
  readonly hasTimestamps: boolean;
  /** Directory in the store when it is not {@link plural}: credentials live below `consumers`. */
  readonly directory?: string;
  /** What an id (everything after the directory in a store key) looks like; default: one segment without `/`. */
  readonly idPattern?: RegExp;
  /** Schema by id where it depends on one: a secret's by its manager. Absent for ids it does not know. */
  readonly schemaFor?: (id: string) => z.ZodType | undefined;
  /** Which plugin schema validates the object's `plugins`; absent when it has none. */
  readonly plugins?: "main" | "consumer" | "stream";
  /** Checked for existence on write, and for users on delete, in this order. */
  readonly references: readonly ResourceReference[];
  /** Dotted paths that are encrypted at rest. */
  readonly secretFields: readonly string[];
  /** Whole `error_msg` when a delete is refused because `user` (`route [1]`) names the object; default: `can not delete this <label>, <user> is still using it now`. */
  inUseMessage?(user: string): string;
  /** Dotted paths that a GET leaves out. */
  readonly hiddenFields?: readonly string[];
  /**
   * Set while the generic Admin API does not know some rule of the kind (sub-resources, keys that are not the id, checks
   * against other objects): `registry.all` and `byPlural` leave it out, `byKind` and `known` do not.
   */
  readonly needsOwnApi?: true;
  /** Rules APISIX checks before the schema; returns the whole `error_msg`. */
  precheck?(value: Readonly<Record<string, unknown>>): string | undefined;
  /** Cross-field rules after the schema and before references; returns the whole `error_msg`. `parsed` has defaults. */
  check?(parsed: z.output<TSchema>): string | undefined;
  /** Rules after references and plugins (expressions); returns the whole `error_msg`. */
  lateCheck?(parsed: z.output<TSchema>): string | undefined;
}

/** Declares a kind; exists for the inference of its types. */
export function defineResource<const TKind extends string, TSchema extends z.ZodType>(
  definition: ResourceDefinition<TKind, TSchema>,
): ResourceDefinition<TKind, TSchema> {
  return definition;
}
