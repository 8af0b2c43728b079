import type { Logger } from "@fngate/kernel";
import { findApi, type PluginApi, type PluginCatalog } from "@fngate/plugin-kit";
import type { Keyring } from "@fngate/schema";
import type { StoreEntry } from "@fngate/store";
import type { CompiledObject } from "../compile/snapshot.ts";
import type { SideAnswer, SideRequest } from "../side/side-listener.ts";
import type { SnapshotCell } from "../snapshot-cell.ts";
import { type HealthReport, type NodeReport, renderHealthPage } from "./health-report.ts";
import { type ObjectView, renderLoaded, type ShownKind, showLoaded } from "./loaded-objects.ts";
import { answerByPlugin, type EndpointDeps } from "./plugin-endpoint.ts";
import { schemaDocument } from "./schema-document.ts";

export interface ControlOptions {
  readonly cell: SnapshotCell;
  /** The mirror's entries by key. */
  readonly entries: () => ReadonlyMap<string, StoreEntry>;
  readonly catalog: PluginCatalog;
  readonly keyring: Keyring;
  readonly logger: Logger;
  /** Key prefix in the store. */
  readonly prefix: string;
  /** Endpoints that plugins bring. */
  readonly pluginApis: () => readonly PluginApi[];
  readonly endpoint: EndpointDeps;
  /** Loads plugins again; resolves to false where there are none that could change. */
  readonly reloadPlugins: () => Promise<boolean>;
  /** Checked nodes of the object with that store key; empty before its first request. */
  readonly healthOf: (key: string) => readonly NodeReport[];
}

type Answer = SideAnswer | Promise<SideAnswer>;

/** One endpoint; a path that ends in `/*` takes one segment or more. */
interface Endpoint {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  /** @param rest segments that the star covered */
  answer(rest: readonly string[], request: SideRequest): Answer;
}

/** What one can ask a running data plane about itself. Paths and shapes are those of APISIX's Control API. */
export class ControlApi {
  readonly #options: ControlOptions;
  readonly #view: ObjectView;
  readonly #endpoints: readonly Endpoint[];

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#view = { catalog: options.catalog, keyring: options.keyring };
    this.#endpoints = [
      { method: "GET", path: "/v1/schema", answer: () => json(200, schemaDocument(options.catalog)) },
      ...this.#objectEndpoints("route"),
      ...this.#objectEndpoints("service"),
      ...this.#objectEndpoints("upstream"),
      ...this.#healthEndpoints(),
      ...this.#metadataEndpoints(),
      { method: "PUT", path: "/v1/plugins/reload", answer: () => this.#reloadPlugins() },
      { method: "POST", path: "/v1/gc", answer: () => collectGarbage() },
    ];
  }

  /** The answer; nothing for paths and methods that there are not. */
  async answer(request: SideRequest): Promise<SideAnswer | undefined> {
    const method = request.method === "HEAD" ? "GET" : request.method;
    for (const endpoint of this.#endpoints) {
      const rest = endpoint.method === method ? restOf(endpoint.path, request.path) : undefined;
      if (rest !== undefined) return endpoint.answer(rest, request);
    }
    const api = findApi(this.#options.pluginApis(), request.method, request.path);
    return api && answerByPlugin(api, request, this.#options.endpoint);
  }

  #objectEndpoints(kind: ShownKind): readonly Endpoint[] {
    return [
      { method: "GET", path: `/v1/${kind}s`, answer: () => this.#listObjects(kind) },
      { method: "GET", path: `/v1/${kind}/*`, answer: ([id = ""]) => this.#showObject(kind, id) },
    ];
  }

  async #listObjects(kind: ShownKind): Promise<SideAnswer> {
    return jsonText(200, await renderLoaded(this.#options.cell.current, kind, this.#view));
  }

  #showObject(kind: ShownKind, id: string): SideAnswer {
    const object: CompiledObject | undefined = this.#options.cell.current.tables[kind].get(id);
    if (object === undefined) return failure(404, `${kind}[${id}] not found`);
    return json(200, showLoaded(kind, object, this.#view));
  }

  #healthEndpoints(): readonly Endpoint[] {
    return [
      {
        method: "GET",
        path: "/v1/healthcheck",
        answer: (_rest, request) => {
          const reports = this.#healthReports();
          return wantsPage(request) ? page(reports) : json(200, reports);
        },
      },
      { method: "GET", path: "/v1/healthcheck/*", answer: (rest, request) => this.#showHealth(rest, request) },
    ];
  }

  #showHealth([type = "", id]: readonly string[], request: SideRequest): SideAnswer {
    if (id === undefined || id === "") return failure(404, `missing src id for src type ${type}`);
    const kind = CHECKED_KINDS.get(type);
    if (kind === undefined) return failure(400, `invalid src type ${type}`);
    const object = kind === "stream_route" ? undefined : this.#options.cell.current.tables[kind].get(id);
    if (object === undefined) return failure(404, `${type}[${id}] not found`);
    const report = this.#reportOf(object);
    if (report === undefined) return failure(404, `no checker for ${type}[${id}]`);
    return wantsPage(request) ? page([report]) : json(200, report);
  }

  #healthReports(): readonly HealthReport[] {
    const { route, service, upstream } = this.#options.cell.current.tables;
    const reports: HealthReport[] = [];
    for (const table of [route, service, upstream]) {
      for (const object of table.values()) {
        const report = this.#reportOf(object);
        if (report !== undefined) reports.push(report);
      }
    }
    return reports;
  }

  /** Only for objects with `checks`; whether they have any stands in their text before anything is parsed. */
  #reportOf({ entry }: CompiledObject): HealthReport | undefined {
    if (!entry.value.includes('"checks"')) return undefined;
    const value: StoredChecks & { readonly upstream?: StoredChecks } = JSON.parse(entry.value);
    const checks = value.checks ?? value.upstream?.checks;
    if (checks === undefined) return undefined;
    const type = checks.active === undefined ? checks.passive?.type : (checks.active.type ?? "http");
    return { name: entry.key, type: type ?? "http", nodes: this.#options.healthOf(entry.key) };
  }

  #metadataEndpoints(): readonly Endpoint[] {
    return [
      {
        method: "GET",
        path: "/v1/plugin_metadatas",
        answer: () =>
          json(
            200,
            this.#options.catalog.all().flatMap(({ name }) => this.#metadataOf(name) ?? []),
          ),
      },
      {
        method: "GET",
        path: "/v1/plugin_metadata/*",
        answer: ([name = ""]) => {
          const metadata = this.#metadataOf(name);
          return metadata ? json(200, metadata) : failure(404, `plugin metadata[${name}] not found`);
        },
      },
    ];
  }

  /** As stored: what is encrypted at rest stays so. */
  #metadataOf(name: string): object | undefined {
    const { catalog, entries, prefix } = this.#options;
    const entry = catalog.get(name) && entries().get(`${prefix}/plugin_metadata/${name}`);
    if (entry === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(entry.value);
      return typeof value === "object" && value !== null ? { ...value, id: name } : undefined;
    } catch {
      return undefined;
    }
  }

  async #reloadPlugins(): Promise<SideAnswer> {
    if (!(await this.#options.reloadPlugins())) {
      this.#options.logger.warn(
        { event: "plugins-reload" },
        "there are no plugins of the user's own to load again, and config.yaml is read at the start only",
      );
    }
    return { status: 200, contentType: TEXT, body: "done" };
  }
}

interface StoredChecks {
  readonly checks?: {
    readonly active?: { readonly type?: string };
    readonly passive?: { readonly type?: string };
  };
}

/** Directories of objects that may have checks. */
const CHECKED_KINDS: ReadonlyMap<string, ShownKind | "stream_route"> = new Map([
  ["routes", "route"],
  ["services", "service"],
  ["upstreams", "upstream"],
  ["stream_routes", "stream_route"],
] as const);

const TEXT = "text/plain; charset=utf-8";

/** The segments behind a pattern's prefix, or none for an exact path; nothing when the path is another one. */
function restOf(pattern: string, path: string): readonly string[] | undefined {
  if (!pattern.endsWith("*")) return path === pattern ? [] : undefined;
  const prefix = pattern.slice(0, -1);
  return path.startsWith(prefix) ? path.slice(prefix.length).split("/").map(decodeSegment) : undefined;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function wantsPage({ rawHeaders }: SideRequest): boolean {
  return rawHeaders.some((name, index) => {
    return index % 2 === 0 && name.toLowerCase() === "accept" && rawHeaders[index + 1]?.includes("text/html") === true;
  });
}

function page(reports: readonly HealthReport[]): SideAnswer {
  return { status: 200, contentType: "text/html; charset=utf-8", body: renderHealthPage(reports) };
}

/** Node hands its collector out only when it is started with `--expose-gc`; without it there is nothing to do. */
function collectGarbage(): SideAnswer {
  if (typeof globalThis.gc === "function") void globalThis.gc();
  return { status: 200, contentType: TEXT, body: "" };
}

function failure(status: number, message: string): SideAnswer {
  return json(status, { error_msg: message });
}

function json(status: number, value: object): SideAnswer {
  return jsonText(status, JSON.stringify(value));
}

/** APISIX ends its answers with a line feed. */
function jsonText(status: number, text: string): SideAnswer {
  return { status, contentType: "application/json", body: `${text}\n` };
}
