/**
 * `pnpm bench:admin [--rounds N] [--seconds N] [--routes N] [--json FILE]`: what the Admin API makes of etcd. Writes a
 * second as a share of raw etcd3 puts, in one interleaved run; a list's page at few and at many routes; memory at many.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { startEtcd } from "@fngate/test-kit";
import { type FngateProcess, startFngate } from "../support/fngate-process.ts";
import { median, range, residentBytes } from "./admin-figures.ts";
import { type AdminWriter, openAdminWriter, openRawWriter, type Writer } from "./admin-writers.ts";
import { machine } from "./contestants.ts";
import { cpuSeconds } from "./processes.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    routes: { type: "string", default: "100000" },
    json: { type: "string", default: join(import.meta.dirname, "../.out/admin.json") },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
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

/** Ids that are written over and over, as clients do that keep a configuration up to date. */
const WRITTEN_IDS = 1_000;

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

function routeOf(index: number): Readonly<Record<string, unknown>> {
  const function_uri = `http://functions-${index % 1000}.example.com:3233/default/function-${index}`;
  const conf = { function_uri, timeout: 3000, authorization: { service_token: `user:${index}` } };
  return { uri: `/team-${index % 100}/service-${index}/*`, name: `route-${index}`, plugins: { openfunction: conf } };
}

/** Writes a second of a writer with so many under way at once. */
async function rateOf(writer: Writer, concurrency: number): Promise<number> {
  const endsAt = performance.now() + seconds * 1_000;
  const startedMs = performance.now();
  let written = 0;
  const work = async () => {
    while (performance.now() < endsAt) {
      written += 1;
      const index = written % WRITTEN_IDS;
      await writer.write(String(index), routeOf(index));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return (written * 1_000) / (performance.now() - startedMs);
}

async function warmUp(writer: Writer): Promise<void> {
  for (let start = 0; start < WARM_UP_WRITES; start += WARM_UP_AT_ONCE) {
    const indexes = Array.from({ length: WARM_UP_AT_ONCE }, (_, offset) => (start + offset) % WRITTEN_IDS);
    await Promise.all(indexes.map((index) => writer.write(String(index), routeOf(index))));
  }
}

/** Rounds of both writers one after the other, each round beginning with the other one. */
async function compareWrites(raw: Writer, admin: AdminWriter, concurrency: number): Promise<Row> {
  const shares: number[] = [];
  const rates = { raw: [] as number[], admin: [] as number[] };
  const cpuBefore = cpuSeconds(admin.pid);
  let writes = 0;
  for (let round = 0; round < rounds; round += 1) {
    const first = round % 2 === 0 ? raw : admin;
    const firstRate = await rateOf(first, concurrency);
    const secondRate = await rateOf(first === raw ? admin : raw, concurrency);
    const [rawRate, adminRate] = first === raw ? [firstRate, secondRate] : [secondRate, firstRate];
    rates.raw.push(rawRate);
    rates.admin.push(adminRate);
    shares.push(adminRate / rawRate);
    writes += adminRate * seconds;
    print(
      `concurrency ${concurrency}, round ${round + 1}: raw ${rawRate.toFixed(0)}/s, admin ${adminRate.toFixed(0)}/s`,
    );
  }
  const target = TARGETS.get(concurrency) ?? 0;
  const share = median(shares);
  const cpuPerWriteUs = ((cpuSeconds(admin.pid) - cpuBefore) * 1e6) / writes;
  return {
    what: `writes, ${concurrency} at once, share of raw puts`,
    measured: share.toFixed(2),
    detail: `${range(shares)}; raw ${median(rates.raw).toFixed(0)}/s, admin ${median(rates.admin).toFixed(0)}/s, ${cpuPerWriteUs.toFixed(0)} us CPU a write`,
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
        admin_key: [{ name: "admin", key: "a-key", role: "admin" }],
      },
    },
  });
}

async function measureLists(etcd: Awaited<ReturnType<typeof startEtcd>>): Promise<Row[]> {
  const measureAt = async (prefix: string, count: number) => {
    await seed(etcd, prefix, count);
    await using plane = await startControlPlane(etcd.url, prefix);
    const idleBytes = residentBytes(plane.pid);
    await using admin = openAdminWriter(plane, "a-key");
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
  await using admin = openAdminWriter(plane, "a-key");
  await using raw = openRawWriter(etcd.url);
  for (const writer of [raw, admin]) await warmUp(writer);
  for (const concurrency of TARGETS.keys()) rows.push(await compareWrites(raw, admin, concurrency));
}
rows.push(...(await measureLists(etcd)));
// biome-ignore lint/suspicious/noConsole: a table is what this command is for
console.table(rows);
const context = { machine: machine(), cores: availableParallelism(), load: loadavg(), rounds, seconds, routes };
mkdirSync(dirname(values.json), { recursive: true });
writeFileSync(values.json, `${JSON.stringify({ ...context, rows }, undefined, 2)}\n`);
print(`written: ${values.json}`);
if (rows.some(({ isMet }) => isMet === false)) process.exitCode = 1;
