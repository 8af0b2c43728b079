import { systemClock } from "@fngate/kernel";
import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import type {
  Answer,
  ObjectsById,
  SentHeaders,
  SentRequest,
  TestGateway,
  TestGatewaySetup,
} from "@fngate/plugin-kit/testing";
import {
  type EchoResponder,
  type EchoUpstream,
  eventually,
  FakeConfigStore,
  startEchoUpstream,
} from "@fngate/test-kit";
import { createDataPlane } from "../data-plane.ts";
import type { DataPlane, DataPlaneOptions } from "../options.ts";
import { type LoggedLine, recordingLogger } from "./recording-logger.ts";
import { sendRequest } from "./send-request.ts";

/** What {@link runGateway} starts with: what plugin authors can say, and what only the gateway's own tests need. */
export interface GatewaySetup extends Omit<TestGatewaySetup, "upstream"> {
  /** What the test upstream answers; default: the request as JSON. */
  readonly upstream?: EchoResponder;
  /** Anything else that a data plane can be told. */
  readonly options?: Partial<DataPlaneOptions>;
}

/** A whole gateway over real sockets, its test upstream and its store. */
export class RunningGateway implements TestGateway {
  readonly plane: DataPlane;
  readonly upstream: EchoUpstream;
  /** What was logged. */
  readonly lines: readonly LoggedLine[];
  readonly #store: FakeConfigStore;

  constructor(parts: { plane: DataPlane; upstream: EchoUpstream; lines: LoggedLine[]; store: FakeConfigStore }) {
    this.plane = parts.plane;
    this.upstream = parts.upstream;
    this.lines = parts.lines;
    this.#store = parts.store;
  }

  /** Port of a listener. */
  portOf(listener: "http" | "metrics" | "status" = "http"): number {
    return this.plane.addresses.find((address) => address.listener === listener)?.port ?? 0;
  }

  /** Sends a request with its target exactly as given. */
  send(target: string, request: SentRequest = {}): Promise<Answer> {
    return sendRequest(this.portOf(), target, request);
  }

  /** Sends a GET. */
  get(target: string, headers: SentHeaders = {}): Promise<Answer> {
    return this.send(target, { headers });
  }

  /** Stores an object (`routes/1`, `consumers/jack/credentials/c1`) and waits until it is in force. */
  async put(path: string, value: Readonly<Record<string, unknown>>): Promise<void> {
    const complete = path.startsWith("routes/") ? routedTo(this.upstream, value) : value;
    await this.#inForce(await this.#store.put(`/apisix/${path}`, JSON.stringify(complete)));
  }

  /** Deletes an object and waits until it is gone. */
  async remove(path: string): Promise<void> {
    await this.#inForce(await this.#store.delete(`/apisix/${path}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane.stop({ deadlineMs: 0 }).catch(() => {});
    await this.#store.close();
    await this.upstream[Symbol.asyncDispose]();
  }

  async #inForce({ revision }: { readonly revision: string }): Promise<void> {
    await eventually(() => this.lines.some(({ fields }) => fields["revision"] === revision), { intervalMs: 2 });
  }
}

/**
 * Starts a gateway in this process: a real data plane on a port of its own, with the given plugins and objects, and an
 * upstream that remembers what reached it. Rejects when the gateway finds fault with an object.
 */
export async function runGateway(setup: GatewaySetup = {}): Promise<RunningGateway> {
  const upstream = await startEchoUpstream(setup.upstream === undefined ? {} : { reply: setup.upstream });
  const store = new FakeConfigStore();
  for (const [path, value] of objectsOf(setup, upstream)) await store.put(`/apisix/${path}`, JSON.stringify(value));
  const lines: LoggedLine[] = [];
  const plane = createDataPlane({
    prefix: "/apisix",
    catalog: catalogOf(setup.plugins ?? []),
    listen: [{ host: "127.0.0.1", port: 0 }],
    routerKind: "radixtree_host_uri",
    serverHeader: "APISIX/3.18.0",
    clock: systemClock,
    publishIntervalMs: 1,
    logger: recordingLogger(lines),
    ...setup.options,
    store,
  });
  const gateway = new RunningGateway({ plane, upstream, lines, store });
  try {
    await plane.start();
    await eventually(() => plane.isReady, { intervalMs: 1 });
    if (setup.hasFindings !== true) refuseFindings(plane);
    return gateway;
  } catch (error) {
    await gateway[Symbol.asyncDispose]();
    throw error;
  }
}

function* objectsOf(setup: GatewaySetup, upstream: EchoUpstream): Generator<readonly [string, object]> {
  const { consumerGroups, consumers, globalRules, pluginConfigs, pluginMetadata, routes, services, upstreams } = setup;
  yield* under("upstreams", upstreams);
  yield* under("services", services);
  yield* under("plugin_configs", pluginConfigs);
  yield* under("consumer_groups", consumerGroups);
  yield* under("global_rules", globalRules);
  yield* under("plugin_metadata", pluginMetadata);
  for (const [name, { credentials = {}, ...consumer }] of Object.entries(consumers ?? {})) {
    yield [`consumers/${name}`, { username: name, ...consumer }];
    yield* under(`consumers/${name}/credentials`, credentials as ObjectsById);
  }
  for (const [id, route] of Object.entries(routes ?? {})) yield [`routes/${id}`, { id, ...routedTo(upstream, route) }];
}

function* under(directory: string, objects: ObjectsById = {}): Generator<readonly [string, object]> {
  for (const [id, value] of Object.entries(objects)) yield [`${directory}/${id}`, { id, ...value }];
}

function routedTo(upstream: EchoUpstream, route: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const hasPlace = ["upstream", "upstream_id", "service_id"].some((field) => field in route);
  return hasPlace ? route : { ...route, upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } };
}

function catalogOf(plugins: readonly PluginDefinition[]): PluginCatalog {
  const byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  return { get: (name) => byName.get(name), all: () => plugins.toSorted((a, b) => b.priority - a.priority) };
}

function refuseFindings(plane: DataPlane): void {
  const [first] = plane.diagnostics;
  if (first !== undefined) throw new Error(`${first.kind} ${first.id}: ${first.path} ${first.message}`);
}
