import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import { GatewayError } from "@fngate/kernel";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { ConsumerDirectory } from "../consumer.ts";
import { collectBodyFilters, compilePipeline, runHeaderFilters, runLogPhase, runRequestPhase } from "../pipeline.ts";
import type { PluginDefinition, PluginInstance } from "../plugin.ts";
import type { PluginDeps, PluginDirectory } from "../ports.ts";
import { APISIX_PRIORITIES } from "./apisix-priorities.ts";
import { fakeConnections } from "./fake-connections.ts";
import { fakeDeps, fakeHttp, fakeShared } from "./fake-deps.ts";
import { type FakeRequestOptions, fakeLogContext } from "./fake-request-context.ts";
import { recordingLogger } from "./recording-logger.ts";

/** What {@link describePlugin} needs beside the plugin. */
export interface ContractOptions {
  /** The plugin's folder: `import.meta.dirname` of its test. */
  readonly folder: string;
  /** A valid configuration with every secret field set to text that occurs nowhere else. */
  readonly config: Readonly<Record<string, unknown>>;
  /** A valid configuration of a consumer, likewise; for a plugin with `consumerSecretFields`. */
  readonly consumerConfig?: Readonly<Record<string, unknown>>;
  /** Valid metadata, likewise; for a plugin with `metadataSecretFields`. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** A request that makes it use its secrets, e.g. one with credentials; default: a POST with a body. */
  readonly request?: FakeRequestOptions;
  /** The other plugins that it sets up; without them there are none. */
  readonly plugins?: PluginDirectory;
  /** True for a plugin that is known for nothing but being refused: its `setup` throws `PLUGIN_UNSUPPORTED`. */
  readonly isRefused?: boolean;
}

/** Declares the tests that every plugin passes; called once in each plugin's own test file. */
export function describePlugin<TConfig>(plugin: PluginDefinition<TConfig>, options: ContractOptions): void {
  describe(`plugin contract: ${plugin.name}`, () => {
    describeIdentity(plugin, options);
    describeSchema(plugin, options);
    if (options.isRefused === true) {
      describeRefusal(plugin, options);
      return;
    }
    describeLifecycle(plugin, options);
    describeSecrets(plugin, options);
  });
}

function describeIdentity<TConfig>(plugin: PluginDefinition<TConfig>, options: ContractOptions): void {
  it("is named like its folder", () => {
    expect(plugin.name).toBe(basename(options.folder));
  });

  it("has APISIX's priority, or one of the range for custom plugins", () => {
    const known = APISIX_PRIORITIES[plugin.name];
    if (known !== undefined) expect(plugin.priority).toBe(known);
    else expect(plugin.priority).toSatisfy((value: number) => value >= 1 && value <= 99);
  });
}

function describeSchema<TConfig>(plugin: PluginDefinition<TConfig>, options: ContractOptions): void {
  it("exports its schema as the JSON Schema of an object", () => {
    expect(z.toJSONSchema(plugin.schema, { io: "input" })).toMatchObject({ type: "object" });
  });

  it("describes every top-level property of its configuration", () => {
    const { properties = {} } = z.toJSONSchema(plugin.schema, { io: "input" });
    const undescribed = Object.entries(properties).filter(([, value]) => !hasDescription(value));
    expect(undescribed).toEqual([]);
  });

  it("takes what it filled with defaults as it is", () => {
    const filled = plugin.schema.parse(options.config);
    expect(plugin.schema.parse(filled)).toEqual(filled);
  });
}

function describeRefusal<TConfig>(plugin: PluginDefinition<TConfig>, options: ContractOptions): void {
  it("refuses every configuration, and names the member that it is refused for", () => {
    expect(() => setUp(plugin, options, {})).toThrow(
      expect.objectContaining({ code: "PLUGIN_UNSUPPORTED", details: { field: expect.any(String) } }),
    );
  });
}

function describeLifecycle<TConfig>(plugin: PluginDefinition<TConfig>, options: ContractOptions): void {
  it("gives back everything it acquired, and disposing twice is harmless", () => {
    const connections = fakeConnections();
    const shared = fakeShared();
    const instance = setUp(plugin, options, { connections, shared });
    instance.dispose?.();
    instance.dispose?.();
    expect([connections.held, shared.held]).toEqual([0, 0]);
  });

  it("gives back what it had when setup fails half way", () => {
    const healthy = fakeConnections();
    setUp(plugin, options, { connections: healthy }).dispose?.();
    for (let successes = 0; successes < healthy.acquired.length; successes += 1) {
      const connections = fakeConnections();
      connections.failAfter(successes);
      expect(() => setUp(plugin, options, { connections })).toThrow("told to fail");
      expect(connections.held).toBe(0);
    }
  });
}

function describeSecrets<TConfig>(plugin: PluginDefinition<TConfig>, options: ContractOptions): void {
  it.each([
    ["go well", fakeHttp()],
    ["fail", fakeHttp(() => Promise.reject(new Error("refused")))],
  ])("never tells a secret in logs and errors, in whatever phase, when its calls %s", async (_outcome, http) => {
    const logger = recordingLogger();
    const { config, consumerConfig, metadata } = options;
    const consumers = consumerConfig && everybodyIs((plugin.consumerSchema ?? plugin.schema).parse(consumerConfig));
    const current = metadata && (plugin.metadataSchema ?? z.unknown()).parse(metadata);
    const ports = { logger, http, metadata: { current }, ...(consumers && { consumers }) };
    const told: unknown[] = [logger.lines];
    // Secrets of metadata are what a configuration without its own falls back to.
    const configs = metadata === undefined ? [config] : [config, withoutSecrets(plugin, config)];
    for (const one of configs) {
      const instance = setUp(plugin, { ...options, config: one }, ports);
      told.push(await runAllPhases(plugin, instance, options.request));
      instance.dispose?.();
    }
    // What is sent at the end, as loggers do, fails or not before the next turn of the event loop.
    await setImmediate();
    const text = JSON.stringify(told);
    for (const secret of secretsOf(plugin, options)) expect(text).not.toContain(secret);
  });
}

/** A configuration without the members that hold secrets. */
function withoutSecrets<TConfig>({ secretFields = [] }: PluginDefinition<TConfig>, config: ContractOptions["config"]) {
  const secret = new Set(secretFields.map((path) => path.split(".")[0]));
  return Object.fromEntries(Object.entries(config).filter(([name]) => !secret.has(name)));
}

/** Whoever calls, whatever the name. */
function everybodyIs<TConfig>(config: TConfig): ConsumerDirectory<TConfig> {
  const consumer = { name: "jack", groupId: undefined, labels: {}, credentialId: undefined };
  return { find: () => ({ consumer, config }), findByName: () => consumer, isEmpty: () => false };
}

/** The secret texts of all configurations of the contract. */
function secretsOf<TConfig>(plugin: PluginDefinition<TConfig>, options: ContractOptions): string[] {
  const places = [
    ["config", plugin.secretFields],
    ["consumerConfig", plugin.consumerSecretFields],
    ["metadata", plugin.metadataSecretFields],
  ] as const;
  return places.flatMap(([place, fields = []]) =>
    fields.flatMap((path) => {
      const secrets = textsOf(valueAt(options[place], path));
      if (secrets.length === 0) throw new Error(`the contract's ${place} has no text at ${path}`);
      return secrets;
    }),
  );
}

type FakePorts = Partial<PluginDeps>;

function setUp<TConfig>(plugin: PluginDefinition<TConfig>, options: ContractOptions, ports: FakePorts): PluginInstance {
  const nested = options.plugins === undefined ? {} : { plugins: options.plugins };
  return plugin.setup(plugin.schema.parse(options.config), fakeDeps({ ...nested, ...ports }));
}

/** Takes a request through every phase; returns what was thrown on the way, as the gateway would log it. */
async function runAllPhases<TConfig>(
  plugin: PluginDefinition<TConfig>,
  instance: PluginInstance,
  request: FakeRequestOptions = { method: "POST", body: "body" },
): Promise<unknown[]> {
  const pipeline = compilePipeline([{ name: plugin.name, priority: plugin.priority, instance }]);
  const context = fakeLogContext({ ...request, source: "gateway", captured: { request: "body", response: "body" } });
  const errors: unknown[] = [];
  const report = (error: unknown): void => {
    errors.push(error instanceof GatewayError ? [error.message, error.details] : String(error));
  };
  const run = async (phase: () => unknown): Promise<void> => {
    try {
      await phase();
    } catch (error) {
      report(error);
    }
  };
  for (const phase of ["rewrite", "access", "beforeProxy"] as const) {
    await run(() => runRequestPhase(pipeline[phase], context));
  }
  await run(() => runHeaderFilters(pipeline.headerFilter, context));
  await run(() => collectBodyFilters(pipeline.bodyFilter, context));
  runLogPhase(pipeline.log, context, report);
  return errors;
}

function hasDescription(property: unknown): boolean {
  return typeof property === "object" && property !== null && "description" in property;
}

/** A secret, or those of a map. */
function textsOf(value: unknown): string[] {
  const values: readonly unknown[] = typeof value === "object" && value !== null ? Object.values(value) : [value];
  return values.filter((one) => typeof one === "string");
}

/** The value at a dotted path. */
function valueAt(config: unknown, path: string): unknown {
  let value = config;
  for (const key of path.split(".")) {
    value =
      typeof value === "object" && value !== null
        ? Object.entries(value).find(([name]) => name === key)?.[1]
        : undefined;
  }
  return value;
}
