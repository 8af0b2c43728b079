import { GatewayError } from "@fngate/kernel";
import {
  type ClosableHttpClient,
  type ConnectionManager,
  createConnections,
  createHttpClient,
  createUpgradeTunnel,
  type FailureAnswer,
  type UpstreamHealthReport,
  type Upstreams,
} from "@fngate/proxy";
import { createKeyring } from "@fngate/schema";
import { createAccessLogRenderer } from "./access-log.ts";
import { type AccessLogTemplate, compileAccessLogTemplate } from "./access-log-template.ts";
import type { CompileDeps } from "./compile/compile-deps.ts";
import { ConsumerOverlays } from "./compile/consumer-overlays.ts";
import { resolveVariable } from "./compile/resolve-references.ts";
import { createEmptySnapshot } from "./compile/snapshot.ts";
import { ConfigFollower } from "./config-follower.ts";
import { ControlApi } from "./control/control-api.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { ProxyAdminGate } from "./http/admin-gate.ts";
import { Admission } from "./http/admission.ts";
import { DEFAULT_CHARSET } from "./http/answer-headers.ts";
import { DEFAULT_BODY_VARIABLE_LIMITS } from "./http/body-variables.ts";
import type { ExchangeContext } from "./http/exchange-context.ts";
import { HttpListener } from "./http/listener.ts";
import { renderError } from "./http/reply.ts";
import { RequestHandler } from "./http/request-handler.ts";
import { type TicketedTlsSettings, withTicketSecret } from "./http/session-tickets.ts";
import { type ConnectionCounts, GatewayMetrics } from "./metrics/gateway-metrics.ts";
import { compileRequestMetrics } from "./metrics/request-metrics.ts";
import { RequestStats } from "./metrics/request-stats.ts";
import { openUpstreams } from "./open-upstreams.ts";
import type { BoundAddress, DataPlane, DataPlaneOptions, ListenAddress, TrafficAddress } from "./options.ts";
import { PluginPorts } from "./plugin-ports/plugin-ports.ts";
import { createServerPort, versionOf } from "./plugin-ports/server-port.ts";
import { SubDispatch } from "./plugin-ports/sub-dispatch.ts";
import { PluginReload } from "./plugin-reload.ts";
import { Publisher } from "./publisher.ts";
import { ownerKey } from "./secrets/owner-key.ts";
import { SecretBook } from "./secrets/secret-book.ts";
import { SideDesk } from "./side/side-desk.ts";
import type { SideAnswer, SideRequest } from "./side/side-listener.ts";
import { SnapshotCell } from "./snapshot-cell.ts";

const DEFAULT_MAX_HEADER_BYTES = 32 * 1024;

/** Long enough for a plugin that reads a body which a client sends slowly. */
const DEFAULT_PLUGIN_DEADLINE_MS = 300_000;

/** Longest wait at the end for what plugins still send. */
const MAX_FLUSH_MS = 5_000;

/** Creates a data plane: follows the configuration in the store and serves requests by it. Nothing runs before `start`. */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  return new StoreDataPlane(options);
}

class StoreDataPlane implements DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #cell: SnapshotCell;
  readonly #connections: ConnectionManager;
  readonly #upstreams: Upstreams;
  readonly #http: ClosableHttpClient;
  readonly #ports: PluginPorts;
  readonly #stats: RequestStats;
  readonly #secrets: SecretBook;
  readonly #publisher: Publisher;
  readonly #follower: ConfigFollower;
  readonly #pluginReload: PluginReload;
  readonly #handler: RequestHandler;
  readonly #tls: TicketedTlsSettings;
  readonly #listeners: HttpListener[] = [];
  readonly #control: ControlApi;
  readonly #desk: SideDesk;
  readonly #addresses: BoundAddress[] = [];
  #metrics: GatewayMetrics | undefined;
  #isStopping = false;
  #logReopenings = 0;

  constructor(options: DataPlaneOptions) {
    const { clock, logger, store, prefix, routerKind } = options;
    this.#options = options;
    this.#stats = new RequestStats(compileRequestMetrics(options.requestMetrics));
    this.#cell = new SnapshotCell(createEmptySnapshot(routerKind));
    this.#connections = createConnections({ caCertificates: options.caCertificates ?? [] });
    const connections = this.#connections;
    this.#upstreams = openUpstreams(options, connections);
    this.#http = createHttpClient({ caCertificates: options.caCertificates ?? [] });
    this.#secrets = this.#createSecrets();
    const compileDeps = this.#compileDeps();
    this.#ports = this.#createPorts(compileDeps);
    this.#publisher = this.#createPublisher(compileDeps);
    this.#follower = new ConfigFollower({
      store,
      prefix,
      publisher: this.#publisher,
      clock,
      logger,
      random: options.random ?? Math.random,
      lastKnownPath: options.lastKnownFile,
      writesLastKnown: options.writesLastKnownFile !== false,
      publishIntervalMs: options.publishIntervalMs,
      onChanges: (changes) => {
        this.#secrets.observe(changes);
        this.#pluginReload.note(changes);
      },
    });
    this.#pluginReload = new PluginReload({
      ...{ catalog: options.catalog, prefix, logger, load: options.reloadPlugins },
      recompile: (isConcerned) => this.#follower.republishWhere(isConcerned),
      onChanged: () => this.#ports.forgetApis(),
    });
    this.#tls = withTicketSecret(options.tls);
    this.#handler = this.#createHandler();
    this.#control = this.#createControlApi();
    this.#desk = new SideDesk(options, this);
  }

  get addresses(): readonly BoundAddress[] {
    return [...this.#addresses, ...this.#desk.addresses];
  }

  get isReady(): boolean {
    return this.#follower.isSynced && !this.#isStopping;
  }

  get notReady(): string | undefined {
    if (this.#isStopping) return "the gateway is stopping";
    return this.isReady ? undefined : "worker id: 0 has not received configuration";
  }

  get diagnostics(): readonly Diagnostic[] {
    return [...this.#cell.current.diagnostics.values()].flat();
  }

  listHealth(): readonly UpstreamHealthReport[] {
    return this.#upstreams.listHealth();
  }

  reopenLogs(): void {
    this.#logReopenings += 1;
  }

  async start(): Promise<void> {
    try {
      for (const address of this.#options.listen) await this.#listen(address);
      if (this.#options.listenBeside !== false) await this.#desk.listen();
    } catch (error) {
      await this.stop({ deadlineMs: 0 }).catch(() => {});
      throw error;
    }
    this.#follower.start();
  }

  async stop({ deadlineMs }: { readonly deadlineMs: number }): Promise<void> {
    this.#isStopping = true;
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const isDrained = await this.#drain(deadlineMs);
    this.#secrets.stop();
    await this.#follower.stop();
    await this.#closePlugins(Math.min(MAX_FLUSH_MS, deadlineMs - (clock.monotonicMs() - startedMs)));
    this.#upstreams.close();
    await Promise.all([this.#connections.destroy(), this.#http.destroy()]);
    await this.#desk.close();
    if (!isDrained) throw new GatewayError("LIFECYCLE_DRAIN_TIMEOUT", `requests were cut after ${deadlineMs} ms`);
  }

  async #listen({ host, port, ...transport }: TrafficAddress): Promise<void> {
    const { clientLimits: limits = {}, maxHeaderBytes = DEFAULT_MAX_HEADER_BYTES } = this.#options;
    const { clock, logger, serverHeader } = this.#options;
    const shared = { handler: this.#handler, cell: this.#cell, clock, logger, serverHeader };
    const listener = new HttpListener({ ...shared, maxHeaderBytes, limits, tls: this.#tls, transport });
    const bound = await listener.listen({ host, port });
    this.#listeners.push(listener);
    const protocol = transport.isTls === true ? "https" : "http";
    this.#announce(transport.isProxied === true ? `proxied-${protocol}` : protocol, bound);
  }

  #announce(listener: BoundAddress["listener"], bound: ListenAddress): void {
    this.#addresses.push({ listener, ...bound });
    this.#options.onListening?.(listener, bound.host, bound.port);
  }

  async renderMetrics(): Promise<SideAnswer> {
    this.#metrics ??= new GatewayMetrics({
      clock: this.#options.clock,
      storePrefix: this.#options.prefix,
      version: versionOf(this.#options.serverHeader),
      stats: this.#stats,
      mirror: this.#follower.mirror,
      cell: this.#cell,
      reload: this.#publisher.state,
      plugins: this.#ports.metrics.registry,
      listHealth: () => this.#upstreams.listHealth(),
      connections: () => this.#countConnections(),
    });
    return { status: 200, contentType: this.#metrics.contentType, body: await this.#metrics.render() };
  }

  control(request: SideRequest): Promise<SideAnswer | undefined> {
    return this.#control.answer(request);
  }

  async #countConnections(): Promise<ConnectionCounts> {
    const counts = await Promise.all(this.#listeners.map((listener) => listener.connections()));
    const sum = (pick: (one: ConnectionCounts) => number): number =>
      counts.reduce((total, one) => total + pick(one), 0);
    return { accepted: sum((one) => one.accepted), active: sum((one) => one.active), open: sum((one) => one.open) };
  }

  /** Lets plugins send what they still have, logs for example, for some time. */
  async #closePlugins(deadlineMs: number): Promise<void> {
    const done = new AbortController();
    const late = this.#options.clock.sleep(Math.max(0, deadlineMs), done.signal).catch(() => undefined);
    await Promise.race([this.#ports.close(), late]);
    done.abort();
  }

  /** Lets running requests end; false when time ran out and they were cut. */
  async #drain(deadlineMs: number): Promise<boolean> {
    const done = new AbortController();
    const closed = Promise.all(this.#listeners.map((listener) => listener.close())).then(() => true);
    const late = this.#options.clock.sleep(deadlineMs, done.signal).then(
      () => false,
      () => true,
    );
    const isDrained = await Promise.race([closed, late]);
    done.abort();
    if (isDrained) return true;
    for (const listener of this.#listeners) listener.destroy();
    await closed;
    return false;
  }

  #createPublisher(deps: CompileDeps): Publisher {
    const { clock, logger } = this.#options;
    return new Publisher({ cell: this.#cell, clock, logger, onRouteDeleted: (id) => this.#stats.forget(id), deps });
  }

  #compileDeps(): CompileDeps {
    const { catalog, clock, environment = {}, keyring = [], prefix, routerKind } = this.#options;
    return {
      clock,
      prefix,
      routerKind,
      catalog,
      keyring: createKeyring(keyring),
      environment,
      secrets: this.#secrets,
      portsOf: (plugin) => this.#ports.of(plugin),
      compileUpstream: (config, identity) => this.#upstreams.compile(config, identity),
    };
  }

  #createSecrets(): SecretBook {
    const { clock, environment = {}, prefix, secretCache } = this.#options;
    return new SecretBook({
      cache: secretCache,
      prefix,
      http: this.#http,
      clock,
      resolveText: (text) => resolveVariable(text, environment),
      onNews: (owners) => this.#follower.republish(owners.flatMap((owner) => ownerKey(prefix, owner) ?? [])),
      isAlive: (owner) => this.#follower.mirror.entries.has(ownerKey(prefix, owner) ?? ""),
    });
  }

  #createPorts(compileDeps: CompileDeps): PluginPorts {
    const { catalog, clock, logger, pluginAttributes: attributes = {}, random = Math.random } = this.#options;
    return new PluginPorts({
      catalog,
      cell: this.#cell,
      logger,
      clock,
      random,
      connections: this.#connections,
      caCertificates: this.#options.caCertificates ?? [],
      http: this.#http,
      gateway: new SubDispatch((client) => this.#handler.handle(client)),
      server: createServerPort(this.#options, {
        connections: () => this.#countConnections(),
        requests: () => this.#stats.totalRequests,
        metrics: () => this.renderMetrics(),
        logReopenings: () => this.#logReopenings,
      }),
      metricPrefix: this.#stats.format.prefix,
      attributes,
      areFunctionTargetsRewritten: this.#options.areFunctionTargetsRewritten ?? true,
      compileDeps: () => compileDeps,
    });
  }

  #createControlApi(): ControlApi {
    const { catalog, clock, keyring = [], logger, prefix } = this.#options;
    return new ControlApi({
      cell: this.#cell,
      entries: () => this.#follower.mirror.entries,
      catalog,
      keyring: createKeyring(keyring),
      logger,
      prefix,
      pluginApis: () => this.#ports.controlApis,
      reloadPlugins: () => this.#pluginReload.reload(),
      endpoint: { admission: new Admission(this.#options), cell: this.#cell, clock },
      healthOf: (key) => this.listHealth().find(({ name }) => name === key)?.nodes ?? [],
    });
  }

  #createHandler(): RequestHandler {
    const { accessLog, clock, logger, proxyAdmin, serverHeader, showUpstreamStatus = false } = this.#options;
    const { charset = DEFAULT_CHARSET } = this.#options;
    const log = this.#compileAccessLog();
    return new RequestHandler({
      cell: this.#cell,
      bodyVariables: this.#options.bodyVariables ?? DEFAULT_BODY_VARIABLE_LIMITS,
      admission: new Admission(this.#options),
      adminGate: proxyAdmin && new ProxyAdminGate(proxyAdmin, logger),
      clock,
      run: {
        forwarder: this.#connections,
        tunnel: createUpgradeTunnel({ renderFailure: tunnelFailure }),
        stats: this.#stats,
        logger,
        clock,
        serverHeader,
        charset: charset === false ? undefined : charset,
        showUpstreamStatus,
        overlays: new ConsumerOverlays(),
        isTraced: log.isTraced,
        pluginDeadlineMs: this.#options.pluginDeadlineMs ?? DEFAULT_PLUGIN_DEADLINE_MS,
        onFinished: (context: ExchangeContext) => {
          this.#stats.record(context);
          accessLog?.write(log.render(context));
        },
      },
    });
  }

  #compileAccessLog(): Pick<AccessLogTemplate, "render" | "isTraced"> {
    const { accessLogEscape, accessLogFormat = "text", accessLogTemplate, logger } = this.#options;
    if (accessLogFormat !== "text" || accessLogTemplate === undefined) {
      return { render: createAccessLogRenderer(accessLogFormat), isTraced: false };
    }
    const template = compileAccessLogTemplate(accessLogTemplate, accessLogEscape);
    if (template.withoutValue.length > 0) {
      const variables = template.withoutValue.map((name) => `$${name}`);
      logger.warn({ event: "access-log", variables }, "variables of access_log_format that have no value here");
    }
    return template;
  }
}

function tunnelFailure(status: number, reason: string): FailureAnswer {
  return { contentType: "application/json", body: renderError(status, reason).body.toString() };
}
