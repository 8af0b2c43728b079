import {
  GatewayError,
  type HttpAnswer,
  type HttpCall,
  type HttpClient,
  type Logger,
  systemClock,
  UsagePool,
} from "@fngate/kernel";
import type { ConsumerDirectory, Credential } from "../consumer.ts";
import type {
  CounterMetric,
  GaugeMetric,
  HistogramMetric,
  LabelValues,
  PluginDeps,
  PluginMetrics,
  ServerPort,
  SharedState,
} from "../ports.ts";
import { fakeConnections } from "./fake-connections.ts";
import { recordingLogger } from "./recording-logger.ts";

/** An {@link HttpClient} that answers what the test says and keeps what it was asked. */
export interface FakeHttp extends HttpClient {
  readonly calls: readonly HttpCall[];
}

/** What {@link fakeHttp} answers with. */
export type HttpResponder = (call: HttpCall) => Partial<HttpAnswer> | Promise<Partial<HttpAnswer>>;

/** Makes a {@link FakeHttp}; the default answer is an empty 200. A responder that throws makes the call fail. */
export function fakeHttp(respond: HttpResponder = () => ({})): FakeHttp {
  const calls: HttpCall[] = [];
  return {
    calls,
    async call(call) {
      calls.push(call);
      try {
        return { status: 200, headers: [], body: new Uint8Array(), ...(await respond(call)) };
      } catch (cause) {
        throw new GatewayError("HTTP_CALL_FAILED", `calling ${call.url} failed`, { cause });
      }
    },
  };
}

/** {@link SharedState} that counts what is held. */
export interface FakeShared extends SharedState {
  readonly held: number;
}

/** Makes a {@link FakeShared}. */
export function fakeShared(): FakeShared {
  const pool = new UsagePool<string, { state: unknown; end: (() => unknown) | undefined }>(({ end }) => end?.());
  return {
    get held() {
      return pool.size;
    },
    acquire<TState>(name: string, create: () => TState, dispose?: (state: TState) => unknown) {
      const usage = pool.acquire(name, () => {
        const state = create();
        return { state, end: dispose && (() => dispose(state)) };
      });
      return { value: usage.value.state as TState, release: () => usage.release() };
    },
  };
}

/** {@link PluginMetrics} whose numbers a test reads. */
export interface FakeMetrics extends PluginMetrics {
  /** The value of a counter or gauge, the sum of a histogram; `undefined` when it never got one. */
  valueOf(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

/** Makes a {@link FakeMetrics}. */
export function fakeMetrics(): FakeMetrics {
  const values = new Map<string, number>();
  const keyOf = (name: string, labels: Readonly<Record<string, string>>): string =>
    JSON.stringify([name, ...Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  const add =
    (name: string) =>
    (labels: LabelValues<string>, by = 1) => {
      const key = keyOf(name, labels);
      values.set(key, (values.get(key) ?? 0) + by);
    };
  return {
    counter: (name): CounterMetric<string> => ({ inc: add(name) }),
    gauge: (name): GaugeMetric<string> => ({
      set: (labels, value) => void values.set(keyOf(name, labels), value),
      remove: (labels) => void values.delete(keyOf(name, labels)),
    }),
    histogram: (name): HistogramMetric<string> => ({ observe: add(name) }),
    valueOf: (name, labels = {}) => values.get(keyOf(name, labels)),
  };
}

/** A {@link ConsumerDirectory} of the given credentials by identity. */
export function fakeConsumers<TConfig>(
  credentials: Readonly<Record<string, Credential<TConfig>>> = {},
): ConsumerDirectory<TConfig> {
  const all = new Map(Object.entries(credentials));
  return {
    find: (_context, identity) => all.get(identity),
    findByName: (_context, name) => [...all.values()].find(({ consumer }) => consumer.name === name)?.consumer,
    isEmpty: () => all.size === 0,
  };
}

/** A {@link ServerPort} of a gateway that nobody has called. */
export function fakeServer(overrides: Partial<ServerPort> = {}): ServerPort {
  return {
    id: "a-gateway",
    hostname: "host.test",
    version: "3.18.0",
    startedAtMs: 0,
    logReopenings: 0,
    storeVersion: () => Promise.resolve(undefined),
    traffic: () => Promise.resolve({ openConnections: 0, busyConnections: 0, acceptedConnections: 0, requests: 0 }),
    metrics: () => Promise.resolve({ contentType: "text/plain", body: "" }),
    ...overrides,
  };
}

/** Ports of a plugin's `setup` that do nothing; a test overrides those that it is about. */
export function fakeDeps<TConsumerConfig = unknown, TMetadata = unknown>(
  overrides: Partial<PluginDeps<TConsumerConfig, TMetadata>> = {},
): PluginDeps<TConsumerConfig, TMetadata> {
  const logger: Logger = recordingLogger();
  return {
    logger,
    owner: "route/1",
    clock: systemClock,
    random: () => 0.5,
    connections: fakeConnections(),
    trustedCertificates: () => [],
    http: fakeHttp(),
    metadata: { current: undefined },
    consumers: fakeConsumers<TConsumerConfig>(),
    shared: fakeShared(),
    metrics: fakeMetrics(),
    upstreams: { compile: () => ({ release: () => undefined }) },
    plugins: {
      setUp: (name) => {
        throw new GatewayError("PLUGIN_INVALID", `unknown plugin [${name}]`);
      },
      findApi: () => undefined,
    },
    gateway: {
      dispatch: () => Promise.reject(new GatewayError("HTTP_CALL_FAILED", "there is no gateway behind a fake")),
    },
    server: fakeServer(),
    areFunctionTargetsRewritten: true,
    values: {
      check: (schema, value) => {
        const { data, error } = schema.safeParse(value);
        return error === undefined ? { ok: true, value: data } : { ok: false, message: error.message };
      },
    },
    attributes: {},
    ...overrides,
  };
}
