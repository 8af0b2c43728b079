import { hostname } from "node:os";
import type { Clock } from "@fngate/kernel";
import type { UpstreamHealthReport } from "@fngate/proxy";
import { compareRevisions, type Revision } from "@fngate/store";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Mirror } from "../mirror/mirror.ts";
import type { ReloadState } from "../publisher.ts";
import type { SnapshotCell } from "../snapshot-cell.ts";
import { disabledLabelsOf } from "./disabled-labels.ts";
import type { RequestStats } from "./request-stats.ts";
import { renderRequestSeries } from "./series-text.ts";

/** Connections of all listeners. */
export interface ConnectionCounts {
  readonly accepted: number;
  readonly active: number;
  readonly open: number;
}

export interface MetricsSources {
  /** Key prefix in the store. */
  readonly storePrefix: string;
  readonly version: string;
  readonly stats: RequestStats;
  readonly mirror: Mirror;
  readonly cell: SnapshotCell;
  readonly reload: ReloadState;
  readonly connections: () => Promise<ConnectionCounts>;
  /** What plugins declared. */
  readonly plugins: Registry;
  readonly clock: Clock;
  readonly listHealth: () => readonly UpstreamHealthReport[];
}

/** The metrics of a data plane; everything is gathered when somebody scrapes. */
export class GatewayMetrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #sources: MetricsSources;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.contentType = this.#registry.contentType;
    collectDefaultMetrics({ register: this.#registry });
    this.#addTraffic();
    this.#addStore();
    this.#addConfiguration();
  }

  /** Prometheus' text format. */
  async render(): Promise<string> {
    const { cell, clock, plugins, stats } = this.#sources;
    const [own, declared] = await Promise.all([this.#registry.metrics(), plugins.metrics()]);
    stats.expire(clock.now());
    return `${own}\n${declared}${renderRequestSeries(stats, disabledLabelsOf(cell.current))}`;
  }

  #addTraffic(): void {
    const { connections, stats, version } = this.#sources;
    this.#gauge("http_requests_total", "The total number of client requests since APISIX started", [], (gauge) => {
      gauge.set(stats.totalRequests);
    });
    this.#gauge("nginx_http_current_connections", "Number of HTTP connections", ["state"], async (gauge) => {
      const { accepted, active, open } = await connections();
      gauge.set({ state: "active" }, open);
      gauge.set({ state: "accepted" }, accepted);
      gauge.set({ state: "handled" }, accepted);
      gauge.set({ state: "reading" }, 0);
      gauge.set({ state: "writing" }, active);
      gauge.set({ state: "waiting" }, Math.max(0, open - active));
    });
    const errors = `${stats.format.prefix}nginx_metric_errors_total`;
    new Counter({ name: errors, help: "Number of metric errors", registers: [this.#registry] });
    this.#gauge("node_info", "Info of APISIX node", ["hostname", "version"], (gauge) => {
      gauge.set({ hostname: hostname(), version }, 1);
    });
    this.#failures("upstream");
    this.#failures("function");
    this.#pluginFailures();
    this.#health();
  }

  #pluginFailures(): void {
    const { pluginFailures } = this.#sources.stats;
    new Counter({
      name: "fngate_plugin_failures_total",
      help: "Phases of plugins that threw or were not done in time",
      labelNames: ["plugin", "reason"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [plugin, counts] of pluginFailures) {
          for (const [reason, count] of Object.entries(counts)) this.inc({ plugin, reason }, count);
        }
      },
    });
  }

  #health(): void {
    const { listHealth } = this.#sources;
    const labels = ["name", "ip", "port"] as const;
    this.#gauge("upstream_status", "Upstream status from health check", labels, (gauge) => {
      gauge.reset();
      for (const { name, nodes } of listHealth()) {
        for (const { ip, port, status } of nodes) {
          gauge.set({ name, ip, port }, status === "healthy" || status === "mostly_healthy" ? 1 : 0);
        }
      }
    });
  }

  #addStore(): void {
    const { mirror, storePrefix } = this.#sources;
    this.#gauge("etcd_reachable", "Config server etcd reachable from APISIX, 0 is unreachable", [], (gauge) => {
      gauge.set(mirror.isReachable ? 1 : 0);
    });
    const indexes = createModifyIndexes(mirror, storePrefix);
    this.#gauge("etcd_modify_indexes", "Etcd modify index for APISIX keys", ["key"], (gauge) => {
      for (const [key, revision] of indexes()) gauge.set({ key }, Number(revision));
    });
  }

  #addConfiguration(): void {
    const { cell, reload } = this.#sources;
    const registers = [this.#registry];
    const define = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    define("fngate_config_last_reload_success", "Whether the last configuration was applied", () =>
      reload.isLastSuccessful ? 1 : 0,
    );
    define("fngate_config_last_reload_success_timestamp_seconds", "When a configuration was last applied", () => {
      return reload.lastSuccessMs / 1000;
    });
    define("fngate_config_applied_revision", "Store revision of the configuration in force", () =>
      Number(cell.current.revision ?? 0),
    );
    define("fngate_config_routes", "Routes in force", () => cell.current.router.size);
    define("fngate_config_diagnostics", "Findings about stored objects", () => {
      let count = 0;
      for (const diagnostics of cell.current.diagnostics.values()) count += diagnostics.length;
      return count;
    });
  }

  #failures(side: "upstream" | "function"): void {
    const counts = this.#sources.stats.failures[side];
    new Counter({
      name: `fngate_${side}_failures_total`,
      help: `Calls to ${side}s without a complete answer, by reason`,
      labelNames: ["reason"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [reason, count] of counts) this.inc({ reason }, count);
      },
    });
  }

  // biome-ignore lint/complexity/useMaxParams: a definition in one line reads best in this order
  #gauge<TLabel extends string>(
    name: string,
    help: string,
    labelNames: readonly TLabel[],
    collect: (gauge: Gauge<TLabel>) => void | Promise<void>,
  ): void {
    new Gauge({
      name: `${this.#sources.stats.format.prefix}${name}`,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        return collect(this);
      },
    });
  }
}

/** Directories that APISIX reports. */
const DIRECTORIES: ReadonlySet<string> = new Set([
  "routes",
  "services",
  "ssls",
  "consumers",
  "global_rules",
  "upstreams",
  "stream_routes",
  "protos",
]);

/** Highest revision per directory; walked again only after the mirror moved. */
function createModifyIndexes(mirror: Mirror, prefix: string): () => ReadonlyMap<string, Revision> {
  let seen: Revision | undefined;
  let indexes: ReadonlyMap<string, Revision> = new Map();
  return () => {
    if (mirror.revision === undefined || mirror.revision === seen) return indexes;
    seen = mirror.revision;
    indexes = readModifyIndexes(mirror, prefix, seen);
    return indexes;
  };
}

function readModifyIndexes(mirror: Mirror, prefix: string, revision: Revision): ReadonlyMap<string, Revision> {
  const indexes = new Map<string, Revision>();
  const raise = (key: string, to: Revision): void => {
    const known = indexes.get(key);
    if (known === undefined || compareRevisions(known, to) < 0) indexes.set(key, to);
  };
  for (const { key, modRevision } of mirror.entries.values()) {
    const directory = key.slice(prefix.length + 1, key.indexOf("/", prefix.length + 1));
    if (DIRECTORIES.has(directory)) raise(directory, modRevision);
    raise("max_modify_index", modRevision);
  }
  // How far the watch has come; APISIX tells that of its global rules.
  indexes.set("prev_index", revision);
  indexes.set("x_etcd_index", revision);
  return indexes;
}
