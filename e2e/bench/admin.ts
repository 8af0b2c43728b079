/**
 * `pnpm bench:admin [--rounds N] [--writes N] [--routes N] [--json FILE]`: what the Admin API makes of etcd. Writes a
 * second as a share of raw etcd3 puts, beside the share that a server reaches which looks at nothing: as many of each, from
 * a process each that has done as many before, in one interleaved run; a list's page at few and many routes; memory.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { startEtcd } from "@fngate/test-kit";
import { type FngateProcess, startFngate } from "../support/fngate-process.ts";
import { median, queuedSeconds, range, residentBytes } from "./admin-figures.ts";
import { ADMIN_KEY, type AdminWriter, openAdminWriter, routeOf } from "./admin-writers.ts";
import { machine } from "./contestants.ts";
import { cpuSeconds } from "./processes.ts";
import { startBareServer, startWriter, type WriterProcess } from "./writer-process.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    writes: { type: "string", default: "1500" },
    routes: { type: "string", default: "100000" },
    json: { type: "string", default: join(import.meta.dirname, "../.out/admin.json") },
  },
});
const rounds = Number(values.rounds);
const writes = Number(values.writes);
const routes = Number(values.routes);

/** Shares of raw puts that are to be reached, by writes under way at once. */
const TARGETS = new Map([
  [1, 0.6],
  [32, 0.5],
]);

/** Most that a page may take at many routes, as a multiple of what it takes at few. */
const PAGE_TARGET = 3;
const FEW_ROUTES = 100;
const PAGE_SAMPLES = 200;

/** Writes before any counts: with fewer, most of the time goes into compiling the code that is measured. */
const WARM_UP_WRITES = 4_000;
const WARM_UP_AT_ONCE = 32;

/** etcd takes at most 128 operations per transaction. */
const SEED_BATCH = 100;

/** One figure against its target. */
interface Row {
  readonly what: string;
  readonly measured: string;
  readonly detail: string;
  readonly target: string;
  readonly isMet: boolean | undefined;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The writers that are compared; `bare` and `admin` write through a server. */
type Writers = Readonly<Record<"raw" | "bare" | "admin", WriterProcess>>;

/** Rounds of all writers one after the other, each round in the reverse order of the one before. */
async function compareWrites(writers: Writers, pid: number, concurrency: number): Promise<Row> {
  const shares = { bare: [] as number[], admin: [] as number[] };
  const rates = { raw: [] as number[], bare: [] as number[], admin: [] as number[] };
  const order = ["raw", "bare", "admin"] as const;
  const before = { cpuSeconds: cpuSeconds(pid), queuedSeconds: queuedSeconds(pid) };
  for (let round = 0; round < rounds; round += 1) {
    const rate = { raw: 0, bare: 0, admin: 0 };
    for (const name of round % 2 === 0 ? order : order.toReversed()) {
      rate[name] = await writers[name].write(writes, concurrency);
      rates[name].push(rate[name]);
    }
    for (const name of ["bare", "admin"] as const) shares[name].push(rate[name] / rate.raw);
    const text = order.map((name) => `${name} ${rate[name].toFixed(0)}/s`).join(", ");
    print(`concurrency ${concurrency}, round ${round + 1}: ${text}`);
  }
  const target = TARGETS.get(concurrency) ?? 0;
  const share = median(shares.admin);
  const microsecondsOf = (seconds: number) => ((seconds * 1e6) / (writes * rounds)).toFixed(0);
  const busy = microsecondsOf(cpuSeconds(pid) - before.cpuSeconds);
  const queued = microsecondsOf(queuedSeconds(pid) - before.queuedSeconds);
  return {
    what: `writes, ${concurrency} at once, share of raw puts`,
    measured: share.toFixed(2),
    detail: `${range(shares.admin)}; a bare server ${median(shares.bare).toFixed(2)} (${range(shares.bare)}); raw ${median(rates.raw).toFixed(0)}/s, admin ${median(rates.admin).toFixed(0)}/s; control plane a write: ${busy} us CPU, ${queued} us waiting for one`,
    target: `>= ${target}`,
    isMet: share >= target,
  };
}

async function pageMs(admin: AdminWriter): Promise<number> {
  const times: number[] = [];
  for (let sample = 0; sample < PAGE_SAMPLES + 20; sample += 1) {
    const startedMs = performance.now();
    const { total } = await admin.page(1 + (sample % 2));
    // What comes first warms up.
    if (sample >= 20) times.push(performance.now() - startedMs);
    if (total < FEW_ROUTES) throw new Error(`only ${total} routes are there`);
  }
  return median(times);
}

async function seed(etcd: Awaited<ReturnType<typeof startEtcd>>, prefix: string, count: number): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  for (let start = 0; start < count; start += SEED_BATCH) {
    const success = Array.from({ length: Math.min(SEED_BATCH, count - start) }, (_, offset) => {
      const id = String(start + offset);
      const value = JSON.stringify({
        ...routeOf(start + offset),
        id,
        create_time: 1_700_000_000,
        update_time: 1_700_000_000,
      });
      return { request_put: { key: base64(`${prefix}/routes/${id}`), value: base64(value) } };
    });
    await etcd.call("kv/txn", { success });
  }
}

function startControlPlane(etcdUrl: string, prefix: string): Promise<FngateProcess> {
  return startFngate({
    deployment: {
      role: "control_plane",
      role_control_plane: { config_provider: "etcd" },
      etcd: { host: [etcdUrl], prefix },
      admin: {
        admin_listen: { ip: "127.0.0.1", port: 0 },
        admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }],
      },
    },
  });
}

async function measureLists(etcd: Awaited<ReturnType<typeof startEtcd>>): Promise<Row[]> {
  const measureAt = async (prefix: string, count: number) => {
    await seed(etcd, prefix, count);
    await using plane = await startControlPlane(etcd.url, prefix);
    const idleBytes = residentBytes(plane.pid);
    await using admin = openAdminWriter(plane.address("admin").port);
    const ms = await pageMs(admin);
    return { ms, idleBytes, bytes: residentBytes(plane.pid) };
  };
  const few = await measureAt("/few", FEW_ROUTES);
  const many = await measureAt("/many", routes);
  const ratio = many.ms / few.ms;
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  return [
    {
      what: `page of 50 at ${routes} routes, multiple of ${FEW_ROUTES}`,
      measured: ratio.toFixed(2),
      detail: `median ${many.ms.toFixed(2)} ms and ${few.ms.toFixed(2)} ms`,
      target: `<= ${PAGE_TARGET}`,
      isMet: ratio <= PAGE_TARGET,
    },
    {
      what: `memory of a control plane with ${routes} routes, resident`,
      measured: megabytes(many.bytes),
      detail: `${megabytes(many.idleBytes)} before the first list, ${megabytes(few.bytes)} with ${FEW_ROUTES}; ${Math.round((many.bytes - few.bytes) / routes)} bytes a route`,
      target: "",
      isMet: undefined,
    },
  ];
}

await using etcd = await startEtcd();
const rows: Row[] = [];
{
  await using plane = await startControlPlane(etcd.url, "/apisix");
  await using server = await startBareServer(etcd.url);
  await using raw = startWriter("raw", etcd.url);
  await using bare = startWriter("admin", String(server.port));
  await using admin = startWriter("admin", String(plane.address("admin").port));
  for (const writer of [raw, bare, admin]) await writer.write(WARM_UP_WRITES, WARM_UP_AT_ONCE);
  for (const concurrency of TARGETS.keys()) {
    rows.push(await compareWrites({ raw, bare, admin }, plane.pid, concurrency));
  }
}
rows.push(...(await measureLists(etcd)));
// biome-ignore lint/suspicious/noConsole: a table is what this command is for
console.table(rows);
const context = { machine: machine(), cores: availableParallelism(), load: loadavg(), rounds, writes, routes };
mkdirSync(dirname(values.json), { recursive: true });
writeFileSync(values.json, `${JSON.stringify({ ...context, rows }, undefined, 2)}\n`);
print(`written: ${values.json}`);
if (rows.some(({ isMet }) => isMet === false)) process.exitCode = 1;
