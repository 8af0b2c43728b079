/**
 * `pnpm bench:plugins [--rounds N] [--requests N] [--connections N] [--only NAME]... [--profile DIRECTORY]
 * [--json FILE]`: CPU time per request of a route with one plugin, over a route with none; and of the chain whose cost has
 * a target. `--only` leaves the other rows out; its names are those of the table, which may have commas, and `chain`. Each
 * round measures the empty route before and after every few others, so that the ratios hold on a noisy machine.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./admin-figures.ts";
import {
  type BenchGateway,
  machine,
  type PluginServices,
  startGateway,
  startPluginServices,
  startReference,
  untilServed,
} from "./contestants.ts";
import { measure } from "./measure.ts";
import { CHAIN_NAME, type PluginRoute, pluginObjects, pluginRoutes } from "./plugin-routes.ts";
import { type Contestant, stopServer } from "./processes.ts";

/** Most that the chain may cost, in empty routes. */
const TARGET = 1.5;

/** Routes that share one pair of measurements of the empty route. */
const GROUP = 4;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    requests: { type: "string", default: "6000" },
    connections: { type: "string", default: "64" },
    only: { type: "string", multiple: true, default: [] },
    profile: { type: "string", default: "" },
    json: { type: "string", default: join(import.meta.dirname, "../.out/bench-plugins.json") },
  },
});
const load = { connections: Number(values.connections), requests: Number(values.requests) };

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** CPU time per request of a route, and of the empty one around it. */
interface Pair {
  readonly cpuMicroseconds: number;
  readonly emptyMicroseconds: number;
}

/** Puts the routes; those of plugins that this gateway does not have are left out. */
async function putRoutes(gateway: BenchGateway, upstreamPort: number, services: PluginServices): Promise<Contestant[]> {
  const { port, process: child } = gateway;
  const servers = { ...services, upstream: `http://127.0.0.1:${upstreamPort}`, directory };
  const upstream = { nodes: { [`127.0.0.1:${upstreamPort}`]: 1 } };
  for (const [path, object] of Object.entries(pluginObjects(servers))) await gateway.put(path, object);
  await gateway.put("/routes/empty", { uri: "/empty", upstream });
  const contestants: Contestant[] = [{ name: "empty route", port, path: "/empty", process: child }];
  for (const [index, route] of wanted(pluginRoutes(servers)).entries()) {
    const { body, name, plugins } = route;
    const path = `/plugin/${index}`;
    try {
      const own = { uris: [path, `${path}/*`], plugins };
      await gateway.put(`/routes/${index}`, route.hasUpstream === false ? own : { ...own, upstream });
    } catch (error) {
      if (!String(error).includes("unknown plugin")) throw error;
      print(`left out, not there: ${name}`);
      continue;
    }
    const obtained = await route.obtain?.(`http://127.0.0.1:${port}${path}`);
    contestants.push({ name, port, path, headers: { ...route.headers, ...obtained }, body, process: child });
  }
  for (const { body, headers = {}, path } of contestants) await untilServed({ port, path, headers, body });
  return contestants;
}

function wanted(routes: readonly PluginRoute[]): readonly PluginRoute[] {
  if (values.only.length === 0) return routes;
  const names = new Set(values.only.map((name) => (name === "chain" ? CHAIN_NAME : name)));
  const unknown = [...names].find((name) => !routes.some((route) => route.name === name));
  if (unknown !== undefined) throw new Error(`no route is named "${unknown}"`);
  return routes.filter(({ name }) => names.has(name));
}

/** Makes the gateway write a CPU profile when it ends. */
function profileFlags(): string[] {
  return values.profile === "" ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];
}

async function runRound(contestants: readonly Contestant[], pairs: ReadonlyMap<string, Pair[]>): Promise<void> {
  const [empty, ...others] = contestants;
  if (empty === undefined) return;
  let before = await measure(empty, load);
  for (let from = 0; from < others.length; from += GROUP) {
    const group = others.slice(from, from + GROUP);
    const samples = [];
    for (const contestant of group) samples.push(await measure(contestant, load));
    const after = await measure(empty, load);
    const emptyMicroseconds = (before.cpuMicroseconds + after.cpuMicroseconds) / 2;
    for (const [index, { name }] of group.entries()) {
      pairs.get(name)?.push({ cpuMicroseconds: samples[index]?.cpuMicroseconds ?? Number.NaN, emptyMicroseconds });
    }
    before = after;
  }
}

function report(pairs: ReadonlyMap<string, Pair[]>): object[] {
  const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
  return [...pairs].map(([name, own]) => {
    const ratios = own.map(({ cpuMicroseconds, emptyMicroseconds }) => cpuMicroseconds / emptyMicroseconds);
    const extra = own.map(({ cpuMicroseconds, emptyMicroseconds }) => cpuMicroseconds - emptyMicroseconds);
    return {
      name,
      "CPU us/request": rounded(median(own.map(({ cpuMicroseconds }) => cpuMicroseconds)), 1),
      "over the empty route": rounded(median(extra), 1),
      ratio: rounded(median(ratios), 2),
      "ratio min": rounded(Math.min(...ratios), 2),
      "ratio max": rounded(Math.max(...ratios), 2),
    };
  });
}

const directory = mkdtempSync(join(tmpdir(), "fngate-bench-"));
const upstream = await startReference("node", "upstream", 0);
let services: PluginServices | undefined;
let gateway: BenchGateway | undefined;
try {
  services = await startPluginServices();
  gateway = await startGateway(directory, profileFlags());
  const contestants = await putRoutes(gateway, upstream.port, services);
  print(`warming up ${contestants.length} routes`);
  for (const contestant of contestants) await measure(contestant, load);
  const pairs = new Map<string, Pair[]>(contestants.slice(1).map(({ name }) => [name, []]));
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    print(`round ${round} of ${values.rounds}`);
    await runRound(contestants, pairs);
  }
  const rows = report(pairs);
  // biome-ignore lint/suspicious/noConsole: a table is what this command is for
  console.table(rows);
  print(`target of the chain (${CHAIN_NAME}): at most ${TARGET}`);
  mkdirSync(dirname(values.json), { recursive: true });
  const context = { machine: machine(), rounds: Number(values.rounds), ...load, target: TARGET };
  writeFileSync(
    values.json,
    `${JSON.stringify({ ...context, rows, pairs: Object.fromEntries(pairs) }, undefined, 2)}\n`,
  );
  print(`written: ${values.json}`);
} finally {
  if (gateway !== undefined) await stopServer(gateway.process);
  await stopServer(upstream.process);
  if (services !== undefined) await stopServer(services.process);
  rmSync(directory, { recursive: true, force: true });
}
