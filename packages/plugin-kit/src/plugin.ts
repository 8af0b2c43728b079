import type { Transform } from "node:stream";
import type { z } from "zod";
import type { LogContext, PhaseResult, RequestContext, ResponseContext } from "./context.ts";
import type { PluginApi } from "./plugin-api.ts";
import type { PluginDeps } from "./ports.ts";

/**
 * One configured plugin. Only the phases it implements cost anything. A synchronous phase is never awaited.
 * Order of phases: rewrite, access, beforeProxy, headerFilter, bodyFilter, encodeBody, log.
 */
export interface PluginInstance {
  rewrite?(context: RequestContext): PhaseResult | Promise<PhaseResult>;
  access?(context: RequestContext): PhaseResult | Promise<PhaseResult>;
  /** After a node of the upstream was picked, before each attempt; its answer counts before the first one only. */
  beforeProxy?(context: RequestContext): PhaseResult | Promise<PhaseResult>;
  /**
   * May change status and headers of the answer; cannot wait. Whoever changes the body returns a transform from
   * `bodyFilter`, which drops `Content-Length`.
   */
  headerFilter?(context: ResponseContext): undefined;
  /** Called once per answer; a returned transform sees every chunk. */
  bodyFilter?(context: ResponseContext): Transform | undefined;
  /**
   * Called once per answer after all header and body filters, for what encodes the body as a whole: compression. The
   * first plugin that returns a transform is the only one. May change headers.
   */
  encodeBody?(context: ResponseContext): Transform | undefined;
  /** After the answer; cannot change it. */
  log?(context: LogContext): undefined;
  /** Gives back what `setup` took. Works after a partial `setup`. */
  dispose?(): void;
}

/** A field of a plugin's configuration that names a resource by id. */
export interface PluginReference {
  /** Dotted path of the field; arrays on the way are entered item by item. */
  readonly path: string;
  /** Kind that the id belongs to, e.g. `upstream`. */
  readonly kind: string;
}

/** What a plugin whose configuration contains those of others is told about these. */
export interface NestedCheck {
  /** Nothing when there is no such plugin. */
  find(name: string): { readonly isAuth: boolean } | undefined;
  /** What is wrong with a configuration of a plugin that there is. */
  problemOf(name: string, config: unknown): string | undefined;
  /** What is wrong with a value that is not a plugin's configuration, in the words of all the others. */
  problemIn(schema: z.ZodType, value: unknown): string | undefined;
  /** What is wrong with an upstream, as far as its schema tells. */
  upstreamProblem(upstream: unknown): string | undefined;
}

/** A plugin as its author declares it; the folder name is the plugin's name. */
export interface PluginDefinition<TConfig = unknown, TConsumerConfig = unknown, TMetadata = unknown> {
  /** Name on the wire, kebab-case. */
  readonly name: string;
  /** APISIX's version number of the plugin. */
  readonly version: number;
  /** Larger runs earlier in every phase. */
  readonly priority: number;
  /** Set on authentication plugins. */
  readonly type?: "auth";
  /** Set on plugins that only make sense for the gateway as a whole; clients then offer them for global rules alone. */
  readonly scope?: "global";
  /** Set on plugins that a global rule does not run where the route has them itself (APISIX: `run_policy`). */
  readonly runPolicy?: "prefer_route";
  /** Configuration as stored; parsing fills the defaults. */
  readonly schema: z.ZodType<TConfig>;
  /** Dotted paths of the configuration that are encrypted at rest (APISIX's `encrypt_fields`). */
  readonly secretFields?: readonly string[];
  /** Schema of the configuration inside consumers and credentials; absent: {@link PluginDefinition.schema}. */
  readonly consumerSchema?: z.ZodType<TConsumerConfig>;
  /** {@link PluginDefinition.secretFields} of the {@link PluginDefinition.consumerSchema}. */
  readonly consumerSecretFields?: readonly string[];
  /** Member of the configuration inside consumers and credentials that tells who calls: no two of them may share it. */
  readonly identityField?: string;
  /** Schema of the configuration inside stream routes; absent: the plugin is unknown there. */
  readonly streamSchema?: z.ZodType;
  /** Schema of the plugin's metadata object; absent: anything is taken. */
  readonly metadataSchema?: z.ZodType<TMetadata>;
  /** Dotted paths of the metadata that are encrypted at rest. */
  readonly metadataSecretFields?: readonly string[];
  /** Fields of the configuration that name resources, which cannot be deleted while they do. */
  readonly references?: readonly PluginReference[];
  /** The first problem of other plugins' configurations inside this one's, whose schema cannot know them. */
  checkNested?(config: TConfig, plugins: NestedCheck): string | undefined;
  /** Fast and free of I/O: work that depends only on the configuration happens here, never per request. */
  setup(config: TConfig, deps: PluginDeps<TConsumerConfig, TMetadata>): PluginInstance;
  /** Endpoints that routes with the `public-api` plugin publish; asked for once. */
  publicApis?(deps: PluginDeps<TConsumerConfig, TMetadata>): readonly PluginApi[];
  /** Endpoints on the Control API; asked for once. */
  controlApis?(deps: PluginDeps<TConsumerConfig, TMetadata>): readonly PluginApi[];
}

/** The plugins a process knows. */
export interface PluginCatalog {
  get(name: string): PluginDefinition | undefined;
  /** Every plugin, highest priority first. */
  all(): readonly PluginDefinition[];
}

/** Declares a plugin; exists for the inference of its configuration types. */
export function definePlugin<TConfig, TConsumerConfig = unknown, TMetadata = unknown>(
  definition: PluginDefinition<TConfig, TConsumerConfig, TMetadata>,
): PluginDefinition<TConfig, TConsumerConfig, TMetadata> {
  return definition;
}
