import type { z } from "zod";

/** Verbs of the Admin API. */
export type ResourceMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A field that names another resource by id. */
export interface ResourceReference {
  /** Path of the field inside the object, e.g. `["upstream_id"]`. */
  readonly path: readonly string[];
  /** Kind that the id belongs to, e.g. `upstream`. */
  readonly kind: string;
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
  /** Which plugin schema validates the object's `plugins`; absent when it has none. */
  readonly plugins?: "main" | "consumer";
  /** Checked for existence on write, and for users on delete, in this order. */
  readonly references: readonly ResourceReference[];
  /** Dotted paths that are encrypted at rest. */
  readonly secretFields: readonly string[];
  /** Rules APISIX checks before the schema; returns the whole `error_msg`. */
  readonly precheck?: (value: Readonly<Record<string, unknown>>) => string | undefined;
  /** Cross-field rules after the schema and before references; returns the whole `error_msg`. `parsed` has defaults. */
  readonly check?: (parsed: z.output<TSchema>) => string | undefined;
  /** Rules after references and plugins (expressions); returns the whole `error_msg`. */
  readonly lateCheck?: (parsed: z.output<TSchema>) => string | undefined;
}

/** Declares a kind; exists for the inference of its types. */
export function defineResource<const TKind extends string, TSchema extends z.ZodType>(
  definition: ResourceDefinition<TKind, TSchema>,
): ResourceDefinition<TKind, TSchema> {
  return definition;
}
