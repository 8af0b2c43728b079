import { join } from "node:path";
import { silentLogger, systemClock } from "@fngate/kernel";
import { openEmbeddedStore } from "@fngate/store/embedded";
import { type EtcdProcess, eventually, startEtcd } from "@fngate/test-kit";
import { ADMIN_KEY, AdminClient } from "./admin-client.ts";
import { type FngateProcess, startFngate } from "./fngate-process.ts";

/** `embedded`: both planes in one process; `split`: a process each, on a real etcd. */
export const MODES = ["embedded", "split"] as const;

/** One of {@link MODES}. */
export type Mode = (typeof MODES)[number];

/** What a case may want different. */
export interface GatewayOptions {
  /** Added to the gateway's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Replaces the section `apisix` of every process, listeners excepted. */
  readonly apisix?: Readonly<Record<string, unknown>>;
  /** Replaces the section `nginx_config`. */
  readonly nginx?: Readonly<Record<string, unknown>>;
  /** Added to the section `fngate` of every process. */
  readonly fngate?: Readonly<Record<string, unknown>>;
  /** `fngate.plugin_paths` of every process. */
  readonly pluginPaths?: readonly string[];
  /** The section `discovery`. */
  readonly discovery?: Readonly<Record<string, unknown>>;
  /** Etcd of the split mode; one of its own when absent. */
  readonly etcd?: EtcdProcess;
}

const LOOPBACK = { ip: "127.0.0.1", port: 0 };

/** A marker route has to show within this time. */
const VISIBLE_DEADLINE_MS = 10_000;

/** A running gateway in one of the two modes. */
export class Gateway implements AsyncDisposable {
  readonly mode: Mode;
  readonly admin: AdminClient;
  readonly dataPlane: FngateProcess;
  readonly controlPlane: FngateProcess;
  /** Absent in embedded mode. */
  readonly etcd: EtcdProcess | undefined;
  readonly #resources: readonly AsyncDisposable[];
  #markers = 0;

  constructor(mode: Mode, parts: GatewayParts) {
    this.mode = mode;
    this.controlPlane = parts.controlPlane;
    this.dataPlane = parts.dataPlane;
    this.etcd = parts.etcd;
    this.#resources = parts.owned;
    this.admin = new AdminClient(this.controlPlane.address("admin").port);
  }

  /** Port of the data plane's HTTP listener. */
  get port(): number {
    return this.dataPlane.address("proxy").port;
  }

  /** `http://127.0.0.1:port` of the data plane. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Writes routes by id and returns once requests see them. */
  async route(routes: Readonly<Record<string, unknown>>): Promise<void> {
    for (const [id, route] of Object.entries(routes)) await this.admin.put(`/routes/${id}`, route);
    await this.settle();
  }

  /**
   * Returns once requests see everything written so far: it writes a route that nobody else has and waits for it, and
   * a configuration is applied in the order it was written.
   */
  async settle(): Promise<void> {
    this.#markers += 1;
    const uri = `/__marker/${this.#markers}`;
    await this.admin.put("/routes/e2e-marker", { uri, plugins: { openfunction: { function_uri: "" } } });
    await eventually(
      async () => {
        const response = await fetch(this.origin + uri);
        await response.arrayBuffer();
        if (response.status !== 503) throw new Error(`the marker route is not visible: ${response.status}`);
      },
      { deadlineMs: VISIBLE_DEADLINE_MS, intervalMs: 5 },
    );
  }

  /** Writes a value past the control plane and its checks; `key` is below the prefix, `routes/1` say. */
  async writeRaw(key: string, value: string): Promise<void> {
    const path = `/apisix/${key}`;
    if (this.etcd !== undefined) {
      const base64 = (text: string) => Buffer.from(text).toString("base64");
      await this.etcd.call("kv/put", { key: base64(path), value: base64(value) });
      return;
    }
    const file = join(this.dataPlane.dataDirectory, "store.sqlite");
    const store = await openEmbeddedStore({ path: file, logger: silentLogger, clock: systemClock });
    await store.put(path, value);
    await store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#resources.toReversed()) await resource[Symbol.asyncDispose]();
  }
}

interface GatewayParts {
  readonly controlPlane: FngateProcess;
  readonly dataPlane: FngateProcess;
  readonly etcd?: EtcdProcess | undefined;
  /** In the order they were started. */
  readonly owned: readonly AsyncDisposable[];
}

/** Starts a gateway and resolves when both planes are ready; what was started by then is stopped when one is not. */
export async function startGateway(mode: Mode, options: GatewayOptions = {}): Promise<Gateway> {
  const owned: AsyncDisposable[] = [];
  const own = async <TResource extends AsyncDisposable>(starting: Promise<TResource>): Promise<TResource> => {
    const resource = await starting;
    owned.push(resource);
    return resource;
  };
  const processOptions = { environment: options.environment ?? {} };
  try {
    if (mode === "embedded") {
      const both = await own(startFngate(embeddedConfig(options), processOptions));
      return new Gateway(mode, { controlPlane: both, dataPlane: both, owned });
    }
    const etcd = options.etcd ?? (await own(startEtcd()));
    const controlPlane = await own(startFngate(controlPlaneConfig(etcd, options), processOptions));
    const { port } = controlPlane.address("admin");
    const dataPlane = await own(startFngate(dataPlaneConfig(etcd, port, options), processOptions));
    return new Gateway(mode, { controlPlane, dataPlane, etcd, owned });
  } catch (error) {
    for (const resource of owned.toReversed()) await resource[Symbol.asyncDispose]();
    throw error;
  }
}

const ADMIN = {
  admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }],
  admin_listen: LOOPBACK,
};

function embeddedConfig(options: GatewayOptions): Readonly<Record<string, unknown>> {
  return {
    deployment: { role: "traditional", role_traditional: { config_provider: "embedded" }, admin: ADMIN },
    ...dataPlaneSections(options),
    fngate: { ...ownSection(options), proxy_admin: { enable: true } },
  };
}

function controlPlaneConfig(etcd: EtcdProcess, options: GatewayOptions): Readonly<Record<string, unknown>> {
  return {
    deployment: {
      role: "control_plane",
      role_control_plane: { config_provider: "etcd" },
      admin: ADMIN,
      etcd: { host: [etcd.url] },
    },
    fngate: ownSection(options),
  };
}

function ownSection({ fngate, pluginPaths }: GatewayOptions): Readonly<Record<string, unknown>> {
  return { ...fngate, ...(pluginPaths === undefined ? {} : { plugin_paths: pluginPaths }) };
}

function dataPlaneConfig(
  etcd: EtcdProcess,
  adminPort: number,
  options: GatewayOptions,
): Readonly<Record<string, unknown>> {
  return {
    deployment: {
      role: "data_plane",
      role_data_plane: { config_provider: "etcd" },
      etcd: { host: [etcd.url] },
    },
    ...dataPlaneSections(options),
    fngate: { ...ownSection(options), proxy_admin: { enable: true, upstream: `http://127.0.0.1:${adminPort}` } },
  };
}

function dataPlaneSections({ apisix, discovery, nginx }: GatewayOptions): Readonly<Record<string, unknown>> {
  return {
    apisix: { ...apisix, node_listen: [LOOPBACK], status: LOOPBACK, control: LOOPBACK },
    plugin_attr: { prometheus: { export_addr: LOOPBACK } },
    ...(nginx === undefined ? {} : { nginx_config: nginx }),
    ...(discovery === undefined ? {} : { discovery }),
  };
}
