import { z } from "zod";
import { type CheckResult, checkValue } from "./check-value.ts";
import { expressionProblem } from "./expression-check.ts";
import { closedObject, listOf, openObject } from "./fields/container.ts";
import { integer } from "./fields/integer.ts";
import { isRecord } from "./fields/rules.ts";
import { text } from "./fields/text.ts";
import { upstream } from "./fields/upstream.ts";

/** What the check needs to know of a plugin; every `PluginDefinition` of the plugin kit is one. */
export interface CheckablePlugin {
  readonly schema: z.ZodType;
  /** Set on authentication plugins, which alone may stand in credentials. */
  readonly type?: "auth";
  /** Schema inside consumers and credentials; absent: the main schema. */
  readonly consumerSchema?: z.ZodType;
  /** Schema inside stream routes; a plugin without one is unknown there. */
  readonly streamSchema?: z.ZodType;
  /** Schema of the metadata object; absent: anything is taken. */
  readonly metadataSchema?: z.ZodType;
  /** Dotted paths of the metadata that are encrypted at rest. */
  readonly metadataSecretFields?: readonly string[];
  /** Member of the configuration inside consumers and credentials that no two of them may share. */
  readonly identityField?: string;
  /** The first problem of other plugins' configurations inside this one's. */
  checkNested?(config: unknown, plugins: NestedPlugins): string | undefined;
}

/** What a plugin with configurations of others in its own is told about these. */
export interface NestedPlugins {
  /** Nothing when there is no such plugin. */
  find(name: string): { readonly isAuth: boolean } | undefined;
  /** What is wrong with a configuration of a plugin that there is. */
  problemOf(name: string, config: unknown): string | undefined;
  /** What is wrong with a value that is not a plugin's configuration, in the words of all the others. */
  problemIn(schema: z.ZodType, value: unknown): string | undefined;
  /** What is wrong with an upstream, as far as its schema tells. */
  upstreamProblem(upstream: unknown): string | undefined;
}

/** The plugins a check knows by name. */
export interface CheckablePlugins {
  get(name: string): CheckablePlugin | undefined;
}

/** Which of a plugin's schemas applies, which decides the wording too. */
export type PluginPlace = "main" | "consumer" | "stream";

/** How {@link checkPlugins} works. */
export interface PluginCheckOptions {
  readonly catalog: CheckablePlugins;
  readonly which: PluginPlace;
  /** What becomes of plugins the catalog lacks: the Admin API refuses them (default), a data plane passes over them. */
  readonly unknown?: "refuse" | "skip";
}

/** What every plugin configuration may carry beside the plugin's own fields. APISIX: `_meta`. */
export const pluginMeta = closedObject({
  disable: z.boolean().optional(),
  error_response: z.xor([text(), openObject({})]).optional(),
  priority: integer().optional(),
  filter: listOf(z.unknown()).optional(),
  pre_function: text().optional(),
});

/** `_meta` of a plugin configuration. */
export type PluginMeta = z.output<typeof pluginMeta>;

/**
 * Checks the plugins of a resource in the order of their keys; returns the whole `error_msg` of the first bad one, or
 * nothing. APISIX: plugins inside resources.
 */
export function checkPlugins(plugins: unknown, options: PluginCheckOptions): string | undefined {
  if (typeof plugins !== "object" || plugins === null) return undefined;
  for (const [name, conf] of Object.entries(plugins)) {
    const problem = pluginProblem(name, conf, options);
    if (problem === undefined) continue;
    return options.which === "consumer" ? `invalid plugins configuration: ${problem}` : problem;
  }
  return undefined;
}

/** A plugin configuration taken apart: `_meta`, and the plugin's own part with its defaults. */
export interface ParsedPluginConf<TConfig = unknown> {
  readonly meta: PluginMeta;
  readonly config: TConfig;
}

/**
 * Validates one plugin's configuration and fills its defaults. The plugin's schema never sees `_meta`. Inside
 * consumers `_meta` is not validated when the plugin has a schema of its own there, as in APISIX.
 */
export function parsePluginConf(
  plugin: CheckablePlugin,
  conf: unknown,
  which: PluginPlace = "main",
): CheckResult<ParsedPluginConf> {
  const { _meta: rawMeta, ...own } = isTable(conf) && !isFilledArray(conf) ? conf : { _meta: undefined };
  const isOwnConsumerSchema = which === "consumer" && plugin.consumerSchema !== undefined;
  const schema = schemaIn(which, plugin) ?? plugin.schema;
  const config = checkValue(schema, isTable(conf) && !isFilledArray(conf) ? own : conf);
  if (!config.ok) return config;
  if (rawMeta === undefined) return { ok: true, value: { meta: {}, config: config.value } };
  const meta = checkValue(pluginMeta, rawMeta);
  if (meta.ok) return { ok: true, value: { meta: meta.value, config: config.value } };
  if (isOwnConsumerSchema) return { ok: true, value: { meta: {}, config: config.value } };
  return { ok: false, message: `property "_meta" validation failed: ${meta.message}` };
}

/** The schema that a plugin has for a place of its own. */
function schemaIn(which: PluginPlace, plugin: CheckablePlugin): z.ZodType | undefined {
  return { main: plugin.schema, consumer: plugin.consumerSchema, stream: plugin.streamSchema }[which];
}

function pluginProblem(name: string, conf: unknown, options: PluginCheckOptions): string | undefined {
  if (!isTable(conf)) return `invalid plugin conf ${luaJson(conf)} for plugin [${name}]`;
  const plugin = options.catalog.get(name);
  const isUnknown = plugin === undefined || (options.which === "stream" && plugin.streamSchema === undefined);
  if (isUnknown) return options.unknown === "skip" ? undefined : `unknown plugin [${name}]`;
  const parsed = checkWhole(plugin, conf, options);
  const meta = isRecord(conf["_meta"]) ? conf["_meta"] : {};
  if (!parsed.ok && meta["disable"] !== true) {
    return options.which === "stream"
      ? `failed to check the configuration of stream plugin [${name}]: ${parsed.message}`
      : `failed to check the configuration of plugin ${name} err: ${parsed.message}`;
  }
  return meta["filter"] === undefined ? undefined : expressionProblem(meta["filter"]);
}

/** {@link parsePluginConf}, and what the other plugins of the catalog say about their parts of the configuration. */
function checkWhole(
  plugin: CheckablePlugin,
  conf: unknown,
  { catalog, which }: PluginCheckOptions,
): CheckResult<ParsedPluginConf> {
  const parsed = parsePluginConf(plugin, conf, which);
  if (!parsed.ok || plugin.checkNested === undefined) return parsed;
  const message = plugin.checkNested(parsed.value.config, nestedIn(catalog));
  return message === undefined ? parsed : { ok: false, message };
}

function nestedIn(catalog: CheckablePlugins): NestedPlugins {
  return {
    find(name) {
      const plugin = catalog.get(name);
      return plugin && { isAuth: plugin.type === "auth" };
    },
    problemOf(name, conf) {
      const plugin = catalog.get(name);
      if (plugin === undefined) return `unknown plugin [${name}]`;
      const checked = checkWhole(plugin, conf, { catalog, which: "main" });
      return checked.ok ? undefined : checked.message;
    },
    problemIn,
    upstreamProblem: (value) => problemIn(upstream, value),
  };
}

function problemIn(schema: z.ZodType, value: unknown): string | undefined {
  const checked = checkValue(schema, value);
  return checked.ok ? undefined : checked.message;
}

/** Lua calls objects and arrays alike a table. */
function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isFilledArray(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** A scalar as APISIX's encoder prints it; its `null` is a userdata. */
function luaJson(value: unknown): string {
  return value === null ? '"userdata: NULL"' : JSON.stringify(value);
}
