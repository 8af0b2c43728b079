import { compileExpression } from "./expr/index.ts";
import { createRouter, type MatchInput, type Router, type RouterKind, type RouteSpec } from "./index.ts";

/*
 * Prints, per kind of router, route set and number of routes: nanoseconds per match (best and median round) and, to
 * compare with, of processor time per match with everything that the loop around it costs; microseconds of processor time
 * per applied change, milliseconds of the first load, heap bytes per route beside the specs themselves and bytes
 * allocated per match. Rounds of the sizes take turns, so that all of them meet the same machine. Then what a match costs
 * by the length of the URI.
 *
 * A match is timed in batches so short that few are interrupted, and a round counts as its median batch. A batch's
 * requests are read through before, as the head of a request just was when it is matched; which routes they are for is
 * random, so that the tree is met as cold as it is.
 *
 *   pnpm bench:router [--kind KIND] [--set NAME] [--rounds N] [--sizes 10,1000,100000]
 */

import { parseArgs } from "node:util";

const { values: flags } = parseArgs({
  options: {
    kind: { type: "string" },
    set: { type: "string" },
    rounds: { type: "string", default: "9" },
    sizes: { type: "string", default: "10,1000,100000" },
  },
});
const rounds = Number(flags.rounds);
const sizes = flags.sizes.split(",").map(Number);

const HOST_FIRST = "radixtree_host_uri";
const PARAMETERS = "radixtree_uri_with_parameter";
const KINDS: readonly RouterKind[] = [HOST_FIRST, "radixtree_uri", PARAMETERS];

type RouteShape = Partial<Pick<RouteSpec<number>, "hosts" | "vars">> & { readonly uri: string };

interface RequestShape {
  readonly path: string;
  readonly host?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

interface RouteSet {
  readonly name: string;
  /** The kinds in which it means something; absent: all. */
  readonly kinds?: readonly RouterKind[];
  route(index: number): RouteShape;
  request(index: number): RequestShape;
}

const hostOf = (index: number): string => `function-${index}.team-${index % 97}.example.com`;
const prefixOf = (index: number): string => `/team-${index % 97}/function-${index}`;

const SETS: readonly RouteSet[] = [
  {
    name: "exact",
    route: (index) => ({ uri: `/api/v${index % 3}${prefixOf(index)}` }),
    request: (index) => ({ path: `/api/v${index % 3}${prefixOf(index)}` }),
  },
  {
    name: "prefix",
    route: (index) => ({ uri: `${prefixOf(index)}/*` }),
    request: (index) => ({ path: `${prefixOf(index)}/users/42` }),
  },
  {
    name: "parameter",
    kinds: [PARAMETERS],
    route: (index) => ({ uri: `${prefixOf(index)}/users/:id/items/:item` }),
    request: (index) => ({ path: `${prefixOf(index)}/users/42/items/7` }),
  },
  {
    name: "parameter first",
    kinds: [PARAMETERS],
    route: (index) => ({ uri: `/:team/v1/function-${index}/:id` }),
    request: (index) => ({ path: `/team-7/v1/function-${index}/42` }),
  },
  {
    name: "host, one path",
    route: (index) => ({ uri: "/*", hosts: [hostOf(index)] }),
    request: (index) => ({ path: "/users/42", host: hostOf(index) }),
  },
  {
    name: "host wildcard, one path",
    route: (index) => ({ uri: "/*", hosts: [`*.${hostOf(index)}`] }),
    request: (index) => ({ path: "/users/42", host: `eu.${hostOf(index)}` }),
  },
  {
    name: "host and path",
    route: (index) => ({ uri: `${prefixOf(index)}/*`, hosts: [hostOf(index)] }),
    request: (index) => ({ path: `${prefixOf(index)}/users/42`, host: hostOf(index) }),
  },
  {
    name: "vars and path",
    route: (index) => ({ uri: `${prefixOf(index)}/*`, vars: varsOf(index % 10) }),
    request: (index) => ({ path: `${prefixOf(index)}/users/42`, variables: tenantOf(index % 10) }),
  },
  {
    name: "vars, one path",
    route: (index) => ({ uri: "/users/*", vars: varsOf(index) }),
    request: (index) => ({ path: "/users/42", variables: tenantOf(index) }),
  },
];

function varsOf(tenant: number): NonNullable<RouteShape["vars"]> {
  return compileExpression([
    ["http_x_tenant", "==", `tenant-${tenant}`],
    ["arg_version", ">=", 2],
  ]);
}

function tenantOf(tenant: number): Readonly<Record<string, string>> {
  return { http_x_tenant: `tenant-${tenant}`, arg_version: "2" };
}

/** Lengths of URI in bytes, about. */
const LENGTHS = [32, 64, 128, 256, 512, 1024, 2048] as const;

/** Routes that end alike after a part of their own, or begin alike before it. */
function longSets(length: number): readonly RouteSet[] {
  const rest = "/segment".repeat(Math.ceil(Math.max(0, length - 18) / 8));
  const set = (name: string, uri: (index: number) => string): RouteSet => ({
    name: `${name} ${length}`,
    route: (index) => ({ uri: uri(index) }),
    request: (index) => ({ path: uri(index) }),
  });
  return [
    set("long end", (index) => `/function-${index}${rest}`),
    set("long beginning", (index) => `${rest}/function-${index}`),
  ];
}

function specsOf(set: RouteSet, size: number): RouteSpec<number>[] {
  return Array.from({ length: size }, (_, index) => {
    const { uri, hosts = [], vars } = set.route(index);
    const spec = { id: `r${index}`, priority: 0, value: index, uris: [flat(uri)], hosts: hosts.map(flat) };
    return vars === undefined ? spec : { ...spec, vars };
  });
}

function inputsOf(set: RouteSet, size: number): MatchInput[] {
  let random = 42;
  return Array.from({ length: 4096 }, () => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    const { path, host = "gateway.test", variables = {} } = set.request(random % size);
    const lookup = { get: (name: string) => variables[name] };
    return { method: "GET", path: flat(path), host: flat(host), remoteAddress: "192.0.2.1", variables: lookup };
  });
}

/** What comes over the wire or out of JSON is one flat string, not a tree of the pieces it was put together from. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

function cpuNs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) * 1000;
}

/** Matches timed together. */
const BATCH = 32;

/** Processor time of a round: the system counts it in steps of some milliseconds, of which a round has many. */
const ROUND_NS = 60_000_000;

/** Nanoseconds of processor time per call, by calling until the limit is used up. */
function cpuPerCall(callsPerRun: number, limitNs: number, run: () => void): number {
  const startNs = cpuNs();
  let calls = 0;
  let usedNs = 0;
  while (usedNs < limitNs) {
    const untilMs = performance.now() + 2;
    while (performance.now() < untilMs) {
      run();
      calls += callsPerRun;
    }
    usedNs = cpuNs() - startNs;
  }
  return usedNs / calls;
}

/** A full router under measurement. */
class Subject {
  readonly loadMs: number;
  readonly heapBytes: number;
  readonly matchNs: number[] = [];
  readonly matchCpuNs: number[] = [];
  readonly changeNs: number[] = [];
  allocatedBytes = 0;
  /** Kept, so that reading is not left out as useless. */
  touched = 0;
  readonly #router: Router<number>;
  readonly #specs: readonly RouteSpec<number>[];
  readonly #inputs: readonly MatchInput[];
  #next = 0;

  constructor(kind: RouterKind, set: RouteSet, size: number) {
    this.#specs = specsOf(set, size);
    this.#inputs = inputsOf(set, size);
    const before = heapBytes();
    const start = performance.now();
    this.#router = createRouter<number>(kind).with(this.#specs.map((next) => ({ next })));
    this.loadMs = performance.now() - start;
    this.heapBytes = heapBytes() - before;
  }

  warmUp(): void {
    this.#matchFor(2 * ROUND_NS);
    this.#changeFor(ROUND_NS);
    this.#countAllocation();
  }

  round(): void {
    const { cpuNs: matchCpuNs, medianNs } = this.#matchFor(ROUND_NS);
    this.matchNs.push(medianNs);
    this.matchCpuNs.push(matchCpuNs);
    this.changeNs.push(this.#changeFor(ROUND_NS));
  }

  #matchFor(limitNs: number): { readonly cpuNs: number; readonly medianNs: number } {
    const batches: number[] = [];
    const inputs: MatchInput[] = [];
    const run = (): void => {
      this.#nextInputs(inputs);
      const start = process.hrtime.bigint();
      this.#match(inputs);
      batches.push(Number(process.hrtime.bigint() - start) / BATCH);
    };
    const used = cpuPerCall(BATCH, limitNs, run);
    return { cpuNs: used, medianNs: median(batches) };
  }

  #changeFor(limitNs: number): number {
    return cpuPerCall(8, limitNs, () => this.#change(8));
  }

  /** Puts the requests of the next batch into the processor's cache. */
  #nextInputs(batch: MatchInput[]): void {
    for (let call = 0; call < BATCH; call += 1) {
      this.#next += 1;
      const input = this.#inputs[this.#next % this.#inputs.length] as MatchInput;
      batch[call] = input;
      const tenant = input.variables.get("http_x_tenant");
      this.touched += unitsOf(input.path) + unitsOf(input.host) + unitsOf(typeof tenant === "string" ? tenant : "");
    }
  }

  #match(batch: readonly MatchInput[]): void {
    for (let call = 0; call < BATCH; call += 1) {
      if (this.#router.match(batch[call] as MatchInput) === undefined) throw new Error("no route");
    }
  }

  /** Each change replaces one route in the full router, which is then dropped. */
  #change(count: number): void {
    for (let call = 0; call < count; call += 1) {
      this.#next += 7919;
      const previous = this.#specs[this.#next % this.#specs.length] as RouteSpec<number>;
      this.#router.with([{ previous, next: { ...previous, value: -1 } }]);
    }
  }

  #countAllocation(): void {
    const batch: MatchInput[] = [];
    this.#nextInputs(batch);
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let run = 0; run < 100; run += 1) this.#match(batch);
    this.allocatedBytes = (process.memoryUsage().heapUsed - before) / (100 * BATCH);
  }
}

/** Reads every unit of a text. */
function unitsOf(text: string): number {
  let sum = 0;
  for (let index = 0; index < text.length; index += 1) sum += text.charCodeAt(index);
  return sum;
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function median(samples: readonly number[]): number {
  return samples.toSorted((left, right) => left - right)[samples.length >> 1] ?? Number.NaN;
}

type Row = Readonly<Record<string, string | number>>;

function measure(kind: RouterKind, set: RouteSet, counts: readonly number[]): Row[] {
  const subjects = counts.map((size) => ({ size, subject: new Subject(kind, set, size) }));
  for (const { subject } of subjects) subject.warmUp();
  for (let round = 0; round < rounds; round += 1) {
    for (const { subject } of subjects) subject.round();
  }
  return subjects.map(({ size, subject }) => ({
    kind: kind.replace("radixtree_", ""),
    routes: set.name,
    size,
    "match ns best": Math.round(Math.min(...subject.matchNs)),
    median: Math.round(median(subject.matchNs)),
    "CPU ns": Math.round(median(subject.matchCpuNs)),
    "B/match": Math.round(subject.allocatedBytes),
    "change us best": Number((Math.min(...subject.changeNs) / 1000).toFixed(1)),
    "change median": Number((median(subject.changeNs) / 1000).toFixed(1)),
    "load ms": Math.round(subject.loadMs),
    "heap B/route": Math.round(subject.heapBytes / size),
  }));
}

function report(kinds: readonly RouterKind[], sets: readonly RouteSet[], counts: readonly number[]): void {
  const rows: Row[] = [];
  for (const kind of kinds) {
    if (flags.kind !== undefined && flags.kind !== kind) continue;
    for (const set of sets) {
      if (set.kinds?.includes(kind) === false || (flags.set !== undefined && !set.name.startsWith(flags.set))) continue;
      rows.push(...measure(kind, set, counts));
    }
  }
  // biome-ignore lint/suspicious/noConsole: a report for a terminal
  if (rows.length > 0) console.table(rows);
}

report(KINDS, SETS, sizes);
// A long URI costs memory too: a tenth of the routes is enough to see how matches grow.
report([HOST_FIRST], LENGTHS.flatMap(longSets), [10_000]);
