/**
 * `pnpm bench:scale [--routes N] [--rate N] [--seconds N] [--stores etcd,embedded] [--json FILE]`: what a configuration
 * of many routes costs a data plane: start, memory, the way of one change, a stream of changes, listing again after
 * an outage, and a start without the store.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { machine } from "./contestants.ts";
import { type MeasuredPlane, startPlane } from "./scale-plane.ts";
import { type Item, type ScaleStore, startEmbeddedStore, startEtcdStore } from "./scale-store.ts";

const { values } = parseArgs({
  options: {
    routes: { type: "string", default: "100000" },
    rate: { type: "string", default: "1000" },
    seconds: { type: "string", default: "10" },
    stores: { type: "string", default: "etcd,embedded" },
    json: { type: "string", default: join(import.meta.dirname, "../.out/scale.json") },
  },
});
const routes = Number(values.routes);
const rate = Number(values.rate);
const seconds = Number(values.seconds);

/** How many single changes are timed. */
const SINGLE_CHANGES = 50;

/** How many changes of a shared object are timed; even, so that the last version is the first one. */
const SHARED_CHANGES = 20;

/** Longer than the file of the last known configuration waits for changes to end, and than etcd's watch is checked. */
const QUIET_MS = 8_000;

/** One line of the report. */
interface Row {
  readonly store: string;
  readonly what: string;
  readonly seconds?: string;
  readonly detail: string;
  readonly "CPU s": string;
  readonly "block ms": string;
  readonly "block CPU ms": string;
  readonly "slowest answer ms": string;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Every other route is a function call with a token, every tenth has a shared upstream and service, the rest one of their own. */
function routeItem(index: number, version = 1): Item {
  const common = {
    id: String(index),
    name: `route-${index}`,
    uri: `/team-${index % 100}/service-${index}/v${version}/*`,
    create_time: 1_700_000_000,
    update_time: 1_700_000_000 + version,
    priority: 0,
    status: 1,
  };
  return { key: `routes/${index}`, value: JSON.stringify({ ...common, ...targetOf(index) }) };
}

function targetOf(index: number): object {
  if (index % 10 === SHARED_ROUTE) return { service_id: "shared", upstream_id: "shared" };
  const nodes = { [`10.${index % 200}.0.${1 + (index % 250)}:8080`]: 1 };
  if (index % 2 === 0) {
    return { upstream: { type: "roundrobin", hash_on: "vars", scheme: "http", pass_host: "pass", nodes } };
  }
  const function_uri = `http://functions-${index % 1000}.example.com:3233/default/function-${index}`;
  const conf = { function_uri, timeout: 3000, keepalive_pool: 5, authorization: { service_token: `user:${index}` } };
  return { plugins: { openfunction: conf } };
}

/** The first of the routes that share an upstream and a service. */
const SHARED_ROUTE = 5;

/** Nobody listens on the first node's port, so that requests are answered 502; without nodes they are answered 503. */
const SHARED_UPSTREAMS = [{ nodes: { "127.0.0.1:1": 1 } }, { nodes: {} }] as const;

/** With a function of no address requests are answered 503, without 502. */
const SHARED_SERVICES = [{}, { plugins: { openfunction: { function_uri: "" } } }] as const;

/** With the hosts of somebody else requests are answered 404. */
const SHARED_HOSTS = [{}, { hosts: ["elsewhere.example"] }] as const;

function sharedItem(kind: "upstreams" | "services", value: object): Item {
  return { key: `${kind}/shared`, value: JSON.stringify({ id: "shared", ...value }) };
}

/** A route that answers 503 as soon as it is in force: its function has no address. */
function markerItem(name: string): Item & { readonly path: string } {
  const path = `/marker/${name}`;
  const value = JSON.stringify({ uri: path, plugins: { openfunction: { function_uri: "" } } });
  return { key: "routes/marker", value, path };
}

/** Measures a store from an empty process to a start without it. */
class StoreReport {
  readonly rows: Row[] = [];
  readonly #store: ScaleStore;
  #plane: MeasuredPlane;

  private constructor(store: ScaleStore, plane: MeasuredPlane) {
    this.#store = store;
    this.#plane = plane;
  }

  static async of(store: ScaleStore): Promise<Row[]> {
    const shared = [sharedItem("upstreams", SHARED_UPSTREAMS[0]), sharedItem("services", SHARED_SERVICES[0])];
    await store.seed([...shared, ...Array.from({ length: routes }, (_, index) => routeItem(index))]);
    const report = new StoreReport(store, await startPlane(store.deployment, store.dataDirectory));
    try {
      await report.#measure();
    } finally {
      await report.#plane[Symbol.asyncDispose]();
    }
    return report.rows;
  }

  async #measure(): Promise<void> {
    await this.#plane.listening();
    await this.#step("load", async () => {
      await this.#plane.ready();
      return "from listening to complete";
    });
    const { heapBytes, residentBytes } = await this.#plane.probe("heap");
    const perRoute = Math.round(heapBytes / routes);
    await this.#step("write last known file", async () => {
      await delay(QUIET_MS);
      return `heap ${megabytes(heapBytes)} (${perRoute} bytes/route), resident ${megabytes(residentBytes)}`;
    });
    await this.#step("single changes", () => this.#singleChanges());
    const users = Math.ceil(routes / 10);
    await this.#step(`upstream of ${users} routes`, () =>
      this.#sharedChanges("upstreams", SHARED_UPSTREAMS, [502, 503]),
    );
    await this.#step(`service of ${users} routes`, () => this.#sharedChanges("services", SHARED_SERVICES, [502, 503]));
    await this.#step(`hosts of ${users} routes`, () => this.#sharedChanges("services", SHARED_HOSTS, [502, 404]));
    await this.#step("stream of changes", () => this.#stream());
    if (this.#store.outage !== undefined) {
      await this.#step("outage, relist", () => this.#relist(this.#store.outage));
      await this.#startWithoutStore(this.#store.outage);
    }
  }

  async #singleChanges(): Promise<string> {
    const times: number[] = [];
    for (let count = 0; count < SINGLE_CHANGES; count += 1) {
      const marker = markerItem(`single-${count}`);
      const startedMs = performance.now();
      await this.#store.write([marker]);
      const writtenMs = performance.now() - startedMs;
      times.push(await this.#plane.untilStatus(marker.path, 503));
      await delay(Math.max(0, 20 - writtenMs));
    }
    return visibleAfter(times);
  }

  /** Changes an object that many routes use between two versions, of which requests get the statuses. */
  async #sharedChanges(
    kind: "upstreams" | "services",
    versions: readonly object[],
    statuses: readonly number[],
  ): Promise<string> {
    const path = `/team-${SHARED_ROUTE}/service-${SHARED_ROUTE}/v1/x`;
    const times: number[] = [];
    // Ends with the first version, which is the one that everything began with.
    for (let count = 1; count <= SHARED_CHANGES; count += 1) {
      await this.#store.write([sharedItem(kind, versions[count % 2] ?? {})]);
      times.push(await this.#plane.untilStatus(path, statuses[count % 2] ?? 0));
      await delay(20);
    }
    return visibleAfter(times);
  }

  async #stream(): Promise<string> {
    const { batch } = this.#store;
    const startedMs = performance.now();
    let written = 0;
    while (performance.now() - startedMs < seconds * 1000) {
      const version = 2 + Math.floor(written / routes);
      const at = (offset: number) => routeItem(((written + offset) * 7919) % routes, version);
      await this.#store.write(Array.from({ length: batch }, (_, offset) => at(offset)));
      written += batch;
      const aheadMs = (written * 1000) / rate - (performance.now() - startedMs);
      if (aheadMs > 1) await delay(aheadMs);
    }
    const perSecond = Math.round((written * 1000) / (performance.now() - startedMs));
    const marker = markerItem("stream");
    await this.#store.write([marker]);
    const lagMs = await this.#plane.untilStatus(marker.path, 503);
    return `${perSecond} changes/s, the last one visible after ${lagMs.toFixed(1)} ms`;
  }

  async #relist(outage: ScaleStore["outage"]): Promise<string> {
    const before = this.#plane.publications;
    await outage?.begin();
    await outage?.end();
    // Far longer than a listing takes, so that whatever it publishes is counted.
    await delay(QUIET_MS);
    const published = this.#plane.publications - before;
    const marker = markerItem("relist");
    await this.#store.write([marker]);
    const lagMs = await this.#plane.untilStatus(marker.path, 503);
    return `${published} publications for nothing changed, then a change visible after ${lagMs.toFixed(1)} ms`;
  }

  async #startWithoutStore(outage: ScaleStore["outage"]): Promise<void> {
    await this.#plane.stop();
    await this.#plane[Symbol.asyncDispose]();
    await outage?.begin();
    this.#plane = await startPlane(this.#store.deployment, this.#store.dataDirectory);
    await this.#plane.listening();
    await this.#step("start without store", async () => {
      await this.#plane.ready();
      const status = await this.#plane.status(markerItem("relist").path);
      return `the last change before is ${status === 503 ? "there" : "missing"}`;
    });
  }

  async #step(what: string, work: () => Promise<string>): Promise<void> {
    const before = await this.#plane.probe("loop");
    const startedMs = performance.now();
    const { result, slowestMs } = await this.#plane.watched(work);
    const tookMs = performance.now() - startedMs;
    const after = await this.#plane.probe("loop");
    const row = {
      store: this.#store.name,
      what,
      seconds: (tookMs / 1000).toFixed(1),
      "CPU s": (after.cpuSeconds - before.cpuSeconds).toFixed(1),
      "block ms": after.longestBlockMs.toFixed(0),
      "block CPU ms": after.longestCpuBlockMs.toFixed(0),
      "slowest answer ms": slowestMs.toFixed(0),
      detail: result,
    };
    print(`${row.store}: ${what}: ${result}`);
    this.rows.push(row);
  }
}

function visibleAfter(times: readonly number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN).toFixed(1);
  return `acknowledged to visible: median ${at(0.5)} ms, p90 ${at(0.9)} ms, longest ${at(1)} ms`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

const STARTERS = { etcd: startEtcdStore, embedded: startEmbeddedStore } as const;

const rows: Row[] = [];
for (const name of values.stores.split(",")) {
  if (name !== "etcd" && name !== "embedded") throw new Error(`there is no store ${name}`);
  await using store = await STARTERS[name]();
  rows.push(...(await StoreReport.of(store)));
}
// biome-ignore lint/suspicious/noConsole: a table is what this command is for
console.table(rows);
const context = { machine: machine(), cores: availableParallelism(), load: loadavg(), routes, rate, seconds };
mkdirSync(dirname(values.json), { recursive: true });
writeFileSync(values.json, `${JSON.stringify({ ...context, rows }, undefined, 2)}\n`);
print(`written: ${values.json}`);
