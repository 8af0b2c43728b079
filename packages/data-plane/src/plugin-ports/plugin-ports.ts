import { type Clock, type Connections, GatewayError, type HttpClient, type Logger, lazy } from "@fngate/kernel";
import {
  findApi,
  type GatewayDispatch,
  type NestedPlugin,
  type PluginApi,
  type PluginCatalog,
  type PluginDefinition,
  type PluginDeps,
  type ServerPort,
  type UpstreamCompiler,
} from "@fngate/plugin-kit";
import { trustedCertificates } from "@fngate/proxy";
import { checkValue, registry } from "@fngate/schema";
import type { CompileDeps } from "../compile/compile-deps.ts";
import { Findings } from "../compile/findings.ts";
import { compilePlugin } from "../compile/plugins.ts";
import { UpstreamHandle } from "../compile/upstream-handle.ts";
import { InlineUpstream } from "../compile/upstreams.ts";
import type { SnapshotCell } from "../snapshot-cell.ts";
import { SnapshotConsumers } from "./consumer-directory.ts";
import { PluginMetricRegistry } from "./plugin-metrics.ts";
import { SharedStates } from "./shared-states.ts";

/** What the ports are made from. */
export interface PluginPortsOptions {
  readonly catalog: PluginCatalog;
  readonly cell: SnapshotCell;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly connections: Connections;
  /** Trusted beside those of Node and the system. */
  readonly caCertificates: readonly string[];
  readonly http: HttpClient;
  readonly gateway: GatewayDispatch;
  readonly server: ServerPort;
  /** Of the metrics that APISIX has too. */
  readonly metricPrefix: string;
  /** `plugin_attr` by plugin name. */
  readonly attributes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** {@link PluginDeps.areFunctionTargetsRewritten} */
  readonly areFunctionTargetsRewritten: boolean;
  /** Of the compiler that these ports are handed to; asked for when a plugin needs it. */
  readonly compileDeps: () => CompileDeps;
}

/** Everything that plugins may use, and what they share among each other. */
export class PluginPorts {
  readonly metrics: PluginMetricRegistry;
  readonly #options: PluginPortsOptions;
  readonly #shared = new SharedStates();
  readonly #trusted = lazy(() => trustedCertificates(this.#options.caCertificates));
  readonly #byPlugin = new Map<string, PluginDeps>();
  #publicApis: readonly PluginApi[] | undefined;
  #controlApis: readonly PluginApi[] | undefined;

  constructor(options: PluginPortsOptions) {
    this.#options = options;
    this.metrics = new PluginMetricRegistry(options.metricPrefix);
  }

  /** The ports of one plugin. */
  of(plugin: string): PluginDeps {
    let ports = this.#byPlugin.get(plugin);
    if (ports === undefined) {
      ports = this.#create(plugin);
      this.#byPlugin.set(plugin, ports);
    }
    return ports;
  }

  /** Ends what plugins share; resolves when that is over. */
  close(): Promise<void> {
    return this.#shared.close();
  }

  /** Plugins were loaded again: their endpoints are asked for once more. */
  forgetApis(): void {
    this.#publicApis = undefined;
    this.#controlApis = undefined;
  }

  /** The endpoints that plugins have for the Control API. */
  get controlApis(): readonly PluginApi[] {
    this.#controlApis ??= this.#collect((plugin) => plugin.controlApis?.(this.of(plugin.name)));
    return this.#controlApis;
  }

  #create(plugin: string): PluginDeps {
    const { areFunctionTargetsRewritten, attributes, cell, clock, connections, gateway, http, logger, random, server } =
      this.#options;
    return {
      logger: logger.child({ plugin }),
      owner: plugin,
      clock,
      random,
      connections,
      trustedCertificates: this.#trusted,
      http,
      gateway,
      server,
      values: { check: checkValue },
      shared: this.#shared.of(plugin),
      metrics: this.metrics,
      upstreams: this.#upstreams(),
      metadata: {
        get current() {
          return cell.current.tables.plugin_metadata.get(plugin)?.value;
        },
      },
      consumers: new SnapshotConsumers(plugin),
      plugins: { setUp: (...nested) => this.#setUp(...nested), findApi: (...key) => this.#findApi(...key) },
      areFunctionTargetsRewritten,
      attributes: attributes[plugin] ?? {},
    };
  }

  #upstreams(): UpstreamCompiler {
    return {
      compile: (stored) => {
        const checked = checkValue(registry.byKind("upstream").schema, stored);
        if (!checked.ok) throw new GatewayError("UPSTREAM_INVALID", checked.message);
        return new InlineUpstream(
          new UpstreamHandle(checked.value, undefined, this.#options.compileDeps().compileUpstream),
        );
      },
    };
  }

  #setUp(name: string, config: unknown, owner: string): NestedPlugin {
    const definition = this.#options.catalog.get(name);
    if (definition === undefined) throw new GatewayError("PLUGIN_INVALID", `unknown plugin [${name}]`);
    const findings = new Findings(owner);
    const plugin = compilePlugin(definition, config, { deps: this.#options.compileDeps(), findings });
    if (plugin === undefined) throw new GatewayError("PLUGIN_INVALID", findings.list[0]?.message ?? `invalid ${name}`);
    return { name, isAuth: definition.type === "auth", instance: plugin.instance };
  }

  #findApi(method: string, path: string): PluginApi | undefined {
    this.#publicApis ??= this.#collect((plugin) => plugin.publicApis?.(this.of(plugin.name)));
    return findApi(this.#publicApis, method, path);
  }

  #collect(pick: (plugin: PluginDefinition) => readonly PluginApi[] | undefined): readonly PluginApi[] {
    return this.#options.catalog.all().flatMap((plugin) => pick(plugin) ?? []);
  }
}
