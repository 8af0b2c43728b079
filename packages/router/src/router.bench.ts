import { createRouter, type MatchInput, type Router, type RouterKind, type RouteSpec } from "./index.ts";

/*
 * Prints, per route set and size: nanoseconds per match and microseconds per applied change (10th, 50th and 99th
 * percentile of samples), milliseconds of the first load, and heap bytes per route beside the specs themselves.
 *
 *   node --expose-gc --conditions=@fngate/source packages/router/src/router.bench.ts [kind]
 */

const SIZES = [10, 1_000, 100_000] as const;
const KINDS: readonly RouterKind[] = ["radixtree_host_uri", "radixtree_uri", "radixtree_uri_with_parameter"];

interface RouteSet {
  readonly name: string;
  route(index: number): Pick<RouteSpec<number>, "uris" | "hosts">;
  request(index: number): { readonly path: string; readonly host: string };
}

const SETS: readonly RouteSet[] = [
  {
    name: "exact",
    route: (index) => ({ uris: [`/api/v${index % 3}/team-${index % 97}/function-${index}`], hosts: [] }),
    request: (index) => ({ path: `/api/v${index % 3}/team-${index % 97}/function-${index}`, host: "gateway.test" }),
  },
  {
    name: "prefix",
    route: (index) => ({ uris: [`/team-${index % 97}/function-${index}/*`], hosts: [] }),
    request: (index) => ({ path: `/team-${index % 97}/function-${index}/users/42`, host: "gateway.test" }),
  },
  {
    name: "host",
    route: (index) => ({ uris: ["/*"], hosts: [`function-${index}.team-${index % 97}.example.com`] }),
    request: (index) => ({ path: "/users/42", host: `function-${index}.team-${index % 97}.example.com` }),
  },
];

function specsOf(set: RouteSet, size: number): RouteSpec<number>[] {
  return Array.from({ length: size }, (_, index) => {
    const { uris, hosts } = set.route(index);
    return { id: `r${index}`, priority: 0, value: index, uris: uris.map(flat), hosts: hosts.map(flat) };
  });
}

const variables = { get: () => undefined };

function inputsOf(set: RouteSet, size: number): MatchInput[] {
  let random = 42;
  return Array.from({ length: 4096 }, () => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    const { path, host } = set.request(random % size);
    return { method: "GET", path: flat(path), host: flat(host), remoteAddress: "192.0.2.1", variables };
  });
}

/** What comes over the wire or out of JSON is one flat string, not a tree of the pieces it was put together from. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

interface Sampled {
  /** Tenth percentile: what the code costs where the machine had nothing else to do. */
  readonly best: number;
  readonly median: number;
  readonly p99: number;
}

/** Nanoseconds per call, over batches of calls. */
function sample(batches: number, callsPerBatch: number, call: (index: number) => void): Sampled {
  const samples: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < callsPerBatch; index += 1) call(batch * callsPerBatch + index);
    samples.push(Number(process.hrtime.bigint() - start) / callsPerBatch);
  }
  samples.sort((left, right) => left - right);
  const at = (share: number): number => samples[Math.floor((batches - 1) * share)] ?? 0;
  return { best: at(0.1), median: at(0.5), p99: at(0.99) };
}

function matchCost(router: Router<number>, inputs: readonly MatchInput[]): Sampled {
  let missed = 0;
  const run = (index: number): void => {
    const input = inputs[index % inputs.length];
    if (input !== undefined && router.match(input) === undefined) missed += 1;
  };
  sample(100, 1024, run);
  const cost = sample(400, 1024, run);
  if (missed > 0) throw new Error(`${missed} requests found no route`);
  return cost;
}

/** Each change replaces one route in the full router, which is then dropped. */
function changeCost(router: Router<number>, specs: readonly RouteSpec<number>[]): Sampled {
  const change = (index: number): void => {
    const previous = specs[(index * 7919) % specs.length];
    if (previous !== undefined) router.with([{ previous, next: { ...previous, value: -1 } }]);
  };
  sample(50, 20, change);
  return sample(400, 10, change);
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function measure(kind: RouterKind, set: RouteSet, size: number): Record<string, string | number> {
  const specs = specsOf(set, size);
  const inputs = inputsOf(set, size);
  const before = heapBytes();
  const start = performance.now();
  const router = createRouter<number>(kind).with(specs.map((next) => ({ next })));
  const loadMs = performance.now() - start;
  const bytes = (heapBytes() - before) / size;
  const match = matchCost(router, inputs);
  const change = changeCost(router, specs);
  return {
    kind: kind.replace("radixtree_", ""),
    routes: set.name,
    size,
    "match ns best": Math.round(match.best),
    median: Math.round(match.median),
    p99: Math.round(match.p99),
    "change us best": Number((change.best / 1000).toFixed(1)),
    "change median": Number((change.median / 1000).toFixed(1)),
    "change p99": Number((change.p99 / 1000).toFixed(1)),
    "load ms": Math.round(loadMs),
    "heap B/route": Math.round(bytes),
  };
}

const wanted = process.argv[2];
const rows: Record<string, string | number>[] = [];
for (const kind of KINDS) {
  if (wanted !== undefined && wanted !== kind) continue;
  for (const set of SETS) {
    // Where hosts only filter, routes of one path are tried one after the other: not a case to scale.
    if (set.name === "host" && kind !== "radixtree_host_uri") continue;
    for (const size of SIZES) rows.push(measure(kind, set, size));
  }
}
// biome-ignore lint/suspicious/noConsole: a report for a terminal
console.table(rows);
