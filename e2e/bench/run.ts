/**
 * `pnpm bench [--rounds N] [--requests N] [--connections N] [--routes N] [--json FILE]`: CPU time per request of fngate and
 * of bare servers, all in one interleaved run, so that the ratios hold on a noisy machine.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./admin-figures.ts";
import { machine, startFngate, startNginx, startReference } from "./contestants.ts";
import { measure, type Sample } from "./measure.ts";
import { type Contestant, stopServer } from "./processes.ts";

const YARDSTICK = "bare undici proxy";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    requests: { type: "string", default: "20000" },
    connections: { type: "string", default: "64" },
    routes: { type: "string", default: "100" },
    json: { type: "string", default: join(import.meta.dirname, "../.out/bench.json") },
  },
});
const rounds = Number(values.rounds);
const load = { connections: Number(values.connections), requests: Number(values.requests) };

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Starts everything; what is up already goes into `started` one by one, so that a failure leaves nothing behind. */
async function startAll(directory: string, started: Contestant[]): Promise<Contestant[]> {
  const keep = (...more: Contestant[]): Contestant[] => {
    started.push(...more);
    return more;
  };
  const [upstream] = keep(await startReference("node", "upstream", 0));
  const upstreamPort = upstream?.port ?? 0;
  keep(await startReference("node", "bare node:http", upstreamPort));
  const nginx = await startNginx(directory, upstreamPort);
  if (nginx === undefined) print("nginx is not installed here: left out");
  else keep(nginx);
  keep(await startReference("undici", YARDSTICK, upstreamPort));
  keep(await startReference("http-proxy", "bare http-proxy", upstreamPort));
  keep(...(await startFngate(directory, upstreamPort, Number(values.routes))));
  return started.filter((contestant) => contestant !== upstream);
}

function report(samples: Map<string, Sample[]>): object[] {
  const yardstick = samples.get(YARDSTICK) ?? [];
  return [...samples].map(([name, own]) => {
    const ratios = own.map(
      (sample, round) => sample.cpuMicroseconds / (yardstick[round]?.cpuMicroseconds ?? Number.NaN),
    );
    return {
      name,
      "CPU us/request": Number(median(own.map((sample) => sample.cpuMicroseconds)).toFixed(1)),
      "ratio to bare undici": Number(median(ratios).toFixed(2)),
      "ratio min": Number(Math.min(...ratios).toFixed(2)),
      "ratio max": Number(Math.max(...ratios).toFixed(2)),
      "requests/s": Math.round(median(own.map((sample) => sample.requestsPerSecond))),
    };
  });
}

const directory = mkdtempSync(join(tmpdir(), "fngate-bench-"));
const started: Contestant[] = [];
try {
  const contestants = await startAll(directory, started);
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
  print(`warming up ${contestants.length} servers`);
  for (const contestant of contestants) await measure(contestant, load);
  for (let round = 1; round <= rounds; round += 1) {
    print(`round ${round} of ${rounds}`);
    for (const contestant of contestants) samples.get(contestant.name)?.push(await measure(contestant, load));
  }
  const rows = report(samples);
  // biome-ignore lint/suspicious/noConsole: a table is what this command is for
  console.table(rows);
  const context = { machine: machine(), cores: availableParallelism(), rounds, ...load, routes: Number(values.routes) };
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(
    values.json,
    `${JSON.stringify({ ...context, rows, samples: Object.fromEntries(samples) }, undefined, 2)}\n`,
  );
  print(`written: ${values.json}`);
} finally {
  await Promise.all([...new Set(started.map((contestant) => contestant.process))].map(stopServer));
  rmSync(directory, { recursive: true, force: true });
}
