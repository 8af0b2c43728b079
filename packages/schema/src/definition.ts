import type { z } from "zod";
import type { NamingRules } from "./naming.ts";
import type { CheckablePlugins } from "./plugin-check.ts";

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
  /** True when it is looked up after the plugins were checked; default: before. */
  readonly isLate?: true;
}

/** Who uses an object that is to be deleted. */
export interface ResourceUser {
  readonly kind: string;
  readonly id: string;
  /** Name of the plugin inside the user that names the object; absent when the user itself does. */
  readonly plugin?: string;
}

/** Something that no two objects may have in common, such as a key that tells who calls. */
export interface Claim {
  /** The same text for all who claim the same. */
  readonly text: string;
  /** Whole `error_msg` when another object, with this kind and id, has it already. */
  conflict(owner: ResourceUser): string;
}

/** What the objects of some kinds may not have in common. */
export interface UniquenessRule {
  /** Kinds that are compared. */
  readonly among: readonly string[];
  claims(value: Readonly<Record<string, unknown>>, plugins: CheckablePlugins): readonly Claim[];
  /** Owners that may have the same beside the object itself; `id` is what follows the directory in its key. */
  isExempt?(id: string, owner: ResourceUser): boolean;
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
  /** How its ids are found in URLs and bodies; absent: `/<plural>/<id>` and the member `id`. */
  readonly naming?: NamingRules;
  /** Schema by id where it depends on one: a secret's by its manager. Nothing for ids it does not know. */
  readonly schemaFor?: (id: string, plugins: CheckablePlugins) => z.ZodType | undefined;
  /** Ids, or starts of ids, that {@link schemaFor} knows beside the others; for descriptions of the API. */
  variants?(pluginNames: readonly string[]): readonly string[];
  /** Whole `error_msg` for an id that {@link schemaFor} does not know. */
  unknownId?(id: string): string;
  /** Which plugin schema validates the object's `plugins`; absent when it has none. */
  readonly plugins?: "main" | "consumer" | "stream";
  /** Checked for existence on write, and for users on delete, in this order. */
  readonly references: readonly ResourceReference[];
  /** Dotted paths that are encrypted at rest. */
  readonly secretFields: readonly string[];
  /** Dotted paths of texts of any form that are encrypted at rest, by id: a plugin's metadata by its plugin. */
  readonly secretTextsOf?: (id: string, plugins: CheckablePlugins) => readonly string[];
  /** Whole `error_msg` when a delete is refused; default: `can not delete this <label>, <kind> [<id>] is still using it now`. */
  inUseMessage?(user: ResourceUser): string;
  /** The kind in messages that say who uses an object through a plugin; default: {@link kind}. */
  readonly pluginUserName?: string;
  /** Directories below an object's key that are deleted with it. */
  readonly ownedDirectories?: readonly string[];
  /** True when an object that is new owns nothing: what an earlier one of its name left behind is deleted. */
  readonly isBornAlone?: true;
  /** What may not be in two objects. */
  readonly uniqueness?: UniquenessRule;
  /** Set on kinds that exist only where the process has stream listeners. */
  readonly subsystem?: "stream";
  /** Dotted paths that a GET leaves out. */
  readonly hiddenFields?: readonly string[];
  /** Rules APISIX checks before the schema; returns the whole `error_msg`. */
  precheck?(value: Readonly<Record<string, unknown>>): string | undefined;
  /**
   * Cross-field rules after the schema and before references; returns the whole `error_msg`. `parsed` has defaults,
   * `urlId` is the id in the URL.
   */
  check?(parsed: z.output<TSchema>, urlId?: string): string | undefined;
  /** Rules after references and plugins (expressions); returns the whole `error_msg`. */
  lateCheck?(parsed: z.output<TSchema>, plugins: CheckablePlugins): string | undefined;
}

/** Declares a kind; exists for the inference of its types. */
export function defineResource<const TKind extends string, TSchema extends z.ZodType>(
  definition: ResourceDefinition<TKind, TSchema>,
): ResourceDefinition<TKind, TSchema> {
  return definition;
}
