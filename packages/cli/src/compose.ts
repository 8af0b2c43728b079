import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { AdminTls, ControlPlane } from "@fngate/control-plane";
import type { DataPlane } from "@fngate/data-plane";
import type { SideAnswer, SideSource } from "@fngate/data-plane/side";
import { type Clock, GatewayError, Lifecycle, type LifecycleStage, type Logger, messageOf } from "@fngate/kernel";
import type { PluginCatalog } from "@fngate/plugin-kit";
import type { LazyCatalog } from "@fngate/plugins/lazy";
import type { SampleFunction } from "@fngate/sample-function";
import type { Keyring } from "@fngate/schema";
import type { ConfigStore } from "@fngate/store";
import type { DocumentStore } from "@fngate/store/document";
import { type AccessLogFile, openAccessLogFile } from "./access-log-file.ts";
import { resolveAdminKeys } from "./config/admin-keys.ts";
import type { Environment } from "./config/environment.ts";
import { resolveInstanceId } from "./config/instance-id.ts";
import type { AdminAddress, AdminSettings, ProxySettings, Settings } from "./config/settings.ts";
import { type BoundListener, findListenError, type ListenerName } from "./listening.ts";
import { openEmbedded, openEtcd, openFile } from "./open-store.ts";
import { readPem } from "./read-pem.ts";
import type { Reloadable } from "./reload.ts";
import { removeStaleSocket } from "./stale-socket.ts";
import type { UserCatalog } from "./user-plugins/user-catalog.ts";
import type { ServingWorkers } from "./workers/serving-workers.ts";

/** Ports that the parts of a process share. */
export interface ComposeDeps {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Environment variables that plugin configurations may refer to. */
  readonly environment: Environment;
  /** Called for every listener that came up. */
  readonly onListening: (bound: BoundListener) => void;
  /** Metrics of all processes, where this one is a worker. */
  readonly gatherMetrics?: () => Promise<SideAnswer>;
}

/** A process put together from its configuration, not started yet. */
export interface Gateway extends Reloadable {
  readonly lifecycle: Lifecycle;
  /** Whether requests are answered according to a complete configuration; a control plane alone is ready once started. */
  readonly isReady: boolean;
  /** File of the generated admin key, once the control plane has started with one. */
  readonly generatedKeyFile: string | undefined;
  /** What the data plane of this process tells of itself, once it is started. */
  readonly side: SideSource | undefined;
  /** Why there is no sample function although one was asked for. */
  readonly sampleFunctionProblem: unknown;
  /** Opens the log files of all its processes again, after they were moved; rejects when the access log cannot be. */
  reopenLogs(): Promise<void>;
}

/** Where the Admin API of another process is looked for when nothing else is said. */
const DEFAULT_ADMIN: AdminAddress = { host: "127.0.0.1", port: 9180 };

/** Puts a process together: the only place that names concrete classes. Each is loaded when its stage starts. */
export function compose(settings: Settings, deps: ComposeDeps): Gateway {
  return new ComposedGateway(settings, deps);
}

class ComposedGateway implements Gateway {
  readonly lifecycle: Lifecycle;
  readonly #settings: Settings;
  readonly #deps: ComposeDeps;
  #store: ConfigStore | undefined;
  /** The same store, when the Admin API replaces it as a whole. */
  #document: DocumentStore | undefined;
  #catalog: PluginCatalog | undefined;
  /** The same catalog, without plugins of the user's own. */
  #lazyCatalog: LazyCatalog | undefined;
  /** Absent without plugins of the user's own. */
  #reloadPlugins: (() => Promise<void>) | undefined;
  #keyring: Keyring | undefined;
  /** Certificates of `apisix.ssl.ssl_trusted_certificate`, PEM. */
  #trusted: string | undefined;
  #controlPlane: ControlPlane | undefined;
  #dataPlane: DataPlane | undefined;
  #workers: ServingWorkers | undefined;
  #accessLog: AccessLogFile | undefined;
  #sampleFunction: Promise<SampleFunction | undefined> | undefined;
  #generatedKeyFile: string | undefined;
  #sampleFunctionProblem: unknown;

  constructor(settings: Settings, deps: ComposeDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.lifecycle = new Lifecycle({ stages: [...this.#stages()], clock: deps.clock, logger: deps.logger });
  }

  get isReady(): boolean {
    if (this.#workers !== undefined) return this.#workers.isReady;
    return this.#settings.proxy === undefined || (this.#dataPlane?.isReady ?? false);
  }

  get side(): SideSource | undefined {
    return this.#dataPlane;
  }

  get generatedKeyFile(): string | undefined {
    return this.#generatedKeyFile;
  }

  get sampleFunctionProblem(): unknown {
    return this.#sampleFunctionProblem;
  }

  get reload(): Reloadable["reload"] {
    return this.#workers?.reload;
  }

  async reopenLogs(): Promise<void> {
    this.#workers?.reopenLogs();
    this.#dataPlane?.reopenLogs();
    await this.#accessLog?.reopen();
  }

  /** What functions serve outlives the planes that call them, and the store outlives both. */
  *#stages(): Iterable<LifecycleStage> {
    const { admin, proxy, sampleFunction } = this.#settings;
    if (sampleFunction !== undefined) yield this.#sampleFunctionStage(sampleFunction.port);
    const workers = proxy === undefined ? 1 : workersOf(this.#settings);
    if (workers === 1 || admin !== undefined) yield this.#storeStage();
    if (admin !== undefined) yield this.#adminStage(admin);
    if (proxy !== undefined) yield workers === 1 ? this.#proxyStage(proxy) : this.#workersStage(proxy, workers);
    if (sampleFunction !== undefined) yield this.#sampleFunctionReadyStage();
    yield this.#loadAheadStage();
  }

  #storeStage(): LifecycleStage {
    return {
      name: "store",
      start: async () => {
        const { dataDir, keyring, trustedCertificate } = this.#settings;
        // Stored secrets, the admin key and logs are nobody else's business.
        await mkdir(dataDir, { recursive: true, mode: 0o700 });
        this.#trusted = await readPem(trustedCertificate, "apisix.ssl.ssl_trusted_certificate");
        this.#store = await this.#openStore();
        const { createKeyring } = await import("@fngate/schema");
        const catalog = await this.#openCatalog();
        this.#catalog = catalog;
        this.#keyring = keyring.length === 0 ? undefined : createKeyring(keyring);
        this.#warnAboutUnknownPlugins(catalog);
      },
      stop: () => this.#store?.close(),
    };
  }

  /** Once everything listens, the plugins that no object uses yet are loaded beside the traffic. */
  #loadAheadStage(): LifecycleStage {
    const stopped = new AbortController();
    return {
      name: "plugins",
      start: () => {
        this.#lazyCatalog?.loadAhead(stopped.signal).catch((error: unknown) => {
          this.#deps.logger.error({ reason: messageOf(error) }, "a plugin cannot be loaded");
        });
      },
      stop: () => stopped.abort(),
    };
  }

  async #openStore(): Promise<ConfigStore> {
    const { dataDir, etcd, prefix, standalone } = this.#settings;
    if (standalone?.source === "file") return openFile({ ...standalone, prefix }, this.#deps);
    if (standalone !== undefined) {
      const { createDocumentStore } = await import("@fngate/store/document");
      this.#document = createDocumentStore();
      return this.#document;
    }
    if (etcd === undefined) return openEmbedded(dataDir, this.#settings.isStoreReadOnly, this.#deps);
    return openEtcd({ ...etcd, trusted: this.#trusted }, this.#deps);
  }

  async #openCatalog(): Promise<LazyCatalog | UserCatalog> {
    const { plugins: enabled, userPlugins } = this.#settings;
    if (userPlugins === undefined) {
      const { createLazyCatalog } = await import("@fngate/plugins/lazy");
      this.#lazyCatalog = createLazyCatalog(enabled);
      return this.#lazyCatalog;
    }
    const [{ createCatalog }, { UserCatalog }] = await Promise.all([
      import("@fngate/plugins"),
      import("./user-plugins/user-catalog.ts"),
    ]);
    const logger = this.#deps.logger.child({ part: "plugins" });
    const catalog = await UserCatalog.open({ ...userPlugins, builtin: createCatalog(), enabled, logger });
    this.#reloadPlugins = () => catalog.reload();
    return catalog;
  }

  #warnAboutUnknownPlugins(catalog: LazyCatalog | UserCatalog): void {
    const missing = this.#settings.plugins?.filter((name) => !catalog.has(name));
    if (missing === undefined || missing.length === 0) return;
    this.#deps.logger.warn({ plugins: missing }, "plugins of the configuration that do not exist here");
  }

  #adminStage(settings: AdminSettings): LifecycleStage {
    return {
      name: "admin",
      start: async () => {
        const { assertAdminKeysAreSafe, createControlPlane } = await import("@fngate/control-plane");
        // Before one is generated: beyond loopback a key is chosen, not found in a file afterwards.
        assertAdminKeysAreSafe(settings);
        const { dataDir, serverHeader } = this.#settings;
        const { logger } = this.#deps;
        const { keys, generatedKeyFile } = await resolveAdminKeys({ keys: settings.keys, dataDir, logger });
        this.#generatedKeyFile = generatedKeyFile;
        const { allowedAddresses, tls, dashboardDirectory, ...admin } = settings;
        if ("socketPath" in admin.listen) await removeStaleSocket(admin.listen.socketPath);
        this.#controlPlane = createControlPlane({
          ...this.#shared(),
          ...admin,
          keys,
          ...(allowedAddresses && { allowedAddresses }),
          ...(dashboardDirectory && { dashboardDirectory }),
          ...(tls && { tls: await readAdminTls(tls) }),
          keyring: this.#keyring,
          serverHeader,
          ...(this.#document && { document: this.#document }),
        });
        await this.#controlPlane.start();
        const { address } = this.#controlPlane;
        if (address !== undefined) this.#deps.onListening({ listener: "admin", ...address });
      },
      stop: ({ deadlineMs }) => this.#controlPlane?.stop({ deadlineMs }),
    };
  }

  #proxyStage(settings: ProxySettings): LifecycleStage {
    return {
      name: "proxy",
      start: async () => {
        const { createDataPlane } = await import("@fngate/data-plane");
        const { trustedAddresses, metrics, status, control, lastKnownFile, proxyAdmin, accessLog, ...plain } = settings;
        if (accessLog !== undefined) this.#accessLog = await openAccessLogFile(accessLog.path);
        this.#dataPlane = createDataPlane({
          ...this.#shared(),
          ...plain,
          ...(this.#deps.gatherMetrics && { gatherMetrics: this.#deps.gatherMetrics }),
          keyring: this.#settings.decryptionKeys,
          environment: this.#deps.environment,
          ...(this.#trusted && { caCertificates: [this.#trusted] }),
          serverHeader: this.#settings.serverHeader,
          identity: { id: await resolveInstanceId(this.#settings), version: this.#settings.apisixVersion },
          ...(trustedAddresses && { trustedAddresses }),
          ...(metrics && { metrics }),
          ...(status && { status }),
          ...(control && { control }),
          ...(lastKnownFile && { lastKnownFile }),
          ...(proxyAdmin && { proxyAdmin: { ...proxyAdmin, target: this.#adminTarget(proxyAdmin.target) } }),
          ...(accessLog && this.#accessLog && { accessLog: this.#accessLog, accessLogFormat: accessLog.format }),
          ...(accessLog?.template && { accessLogTemplate: accessLog.template, accessLogEscape: accessLog.escape }),
          onListening: (listener, host, port) =>
            this.#deps.onListening({ listener: listener === "http" ? "proxy" : listener, host, port }),
        });
        try {
          await this.#dataPlane.start();
        } catch (error) {
          await this.#accessLog?.close();
          throw error;
        }
      },
      stop: async ({ deadlineMs }) => {
        try {
          await this.#dataPlane?.stop({ deadlineMs });
        } finally {
          await this.#accessLog?.close();
        }
      },
    };
  }

  #workersStage(proxy: ProxySettings, count: number): LifecycleStage {
    return {
      name: "workers",
      start: async () => {
        const { ServingWorkers } = await import("./workers/serving-workers.ts");
        const admin = this.#adminTarget(undefined);
        this.#workers = new ServingWorkers({ ...this.#deps, settings: this.#settings, proxy, count, admin });
        await this.#workers.start();
      },
      stop: ({ deadlineMs }) => this.#workers?.stop({ deadlineMs }),
    };
  }

  /** Begins to start the function's process, whose own start would cost more time than all the rest together. */
  #sampleFunctionStage(port: number): LifecycleStage {
    return {
      name: "sample-function",
      start: () => {
        this.#sampleFunction = startSample(port, this.#deps.logger).catch((error: unknown) => {
          this.#sampleFunctionProblem = error;
          return undefined;
        });
      },
      stop: async () => (await this.#sampleFunction)?.stop(),
    };
  }

  /** Waits for the function's process; the gateway goes on without it when it does not come up. */
  #sampleFunctionReadyStage(): LifecycleStage {
    return {
      name: "sample-function-ready",
      start: async () => {
        const running = await this.#sampleFunction;
        if (running === undefined) return;
        this.#deps.onListening({ listener: "sample-function", host: running.host, port: running.port });
      },
      stop: () => undefined,
    };
  }

  #shared() {
    const { clock, logger } = this.#deps;
    if (this.#store === undefined || this.#catalog === undefined) {
      throw new GatewayError("LIFECYCLE_START_FAILED", "the store stage comes before every plane");
    }
    const reloadPlugins = this.#reloadPlugins;
    return {
      store: this.#store,
      catalog: this.#catalog,
      prefix: this.#settings.prefix,
      clock,
      logger,
      ...(reloadPlugins && { reloadPlugins }),
    };
  }

  #adminTarget(configured: AdminAddress | undefined): AdminAddress {
    return configured ?? this.#controlPlane?.address ?? DEFAULT_ADMIN;
  }
}

/** Processes that serve requests. */
function workersOf({ workers }: Settings): number {
  return workers === "auto" ? availableParallelism() : workers;
}

async function readAdminTls(files: NonNullable<AdminSettings["tls"]>): Promise<AdminTls> {
  const section = "deployment.admin.admin_api_mtls";
  const [cert, key, ca] = await Promise.all([
    readPem(files.cert, `${section}.admin_ssl_cert`),
    readPem(files.key, `${section}.admin_ssl_cert_key`),
    readPem(files.ca, `${section}.admin_ssl_ca_cert`),
  ]);
  return { cert, key, ...(ca && { ca }) };
}

async function startSample(port: number, logger: Logger): Promise<SampleFunction> {
  const { startSampleFunction } = await import("@fngate/sample-function");
  return startSampleFunction({ port, host: "127.0.0.1", logger: logger.child({ part: "sample-function" }) });
}

function nameOf({ isProxied, isTls }: ProxySettings["listen"][number]): ListenerName {
  const protocol = isTls ? "https" : "http";
  if (isProxied) return `proxied-${protocol}`;
  return isTls ? "https" : "proxy";
}

/** Which listener a failed start is about, judged by stage and port. */
export function listenerOfFailure(error: unknown, settings: Settings): ListenerName {
  const failure = findListenError(error);
  const { admin, proxy } = settings;
  if (failure !== undefined && proxy !== undefined) {
    if (proxy.metrics?.port === failure.port) return "metrics";
    if (proxy.status?.port === failure.port) return "status";
    const traffic = proxy.listen.find(({ port }) => port === failure.port);
    if (traffic !== undefined) return nameOf(traffic);
    if (proxy.control?.port === failure.port) return "control";
  }
  const isAdmin = admin !== undefined && "port" in admin.listen && admin.listen.port === failure?.port;
  return isAdmin ? "admin" : "proxy";
}
