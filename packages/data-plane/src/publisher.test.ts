import { type Clock, systemClock } from "@fngate/kernel";
import { definePlugin } from "@fngate/plugin-kit";
import { fakeDeps } from "@fngate/plugin-kit/testing";
import { createKeyring } from "@fngate/schema";
import { parseRevision } from "@fngate/store";
import { FakeClock } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { z } from "zod";
import type { PendingChanges } from "./coalescer.ts";
import { createEmptySnapshot } from "./compile/snapshot.ts";
import { Publisher } from "./publisher.ts";
import { SnapshotCell } from "./snapshot-cell.ts";
import { catalogWith, type LoggedLine, recordingLogger } from "./testing/running-plane.ts";

/** More than the largest turn, and no multiple of any. */
const MANY = 1_777;

/** A clock by which everything takes an hour, so that turns are as small as they get. */
class HourlyClock extends FakeClock {
  #hours = 0;

  override monotonicMs(): number {
    this.#hours += 1;
    return this.#hours * 3_600_000;
  }
}

/** A publisher of routes with one plugin that counts what is set up and given back. */
class Bench {
  setups = 0;
  disposals = 0;
  /** Plugins fail to give back what they took. */
  isDisposalBroken = false;
  readonly lines: LoggedLine[] = [];
  readonly deleted: string[] = [];
  readonly cell = new SnapshotCell(createEmptySnapshot("radixtree_uri"));
  readonly publisher: Publisher;
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  #revision = 0;

  constructor(clock: Clock = systemClock) {
    this.signal = this.#abort.signal;
    const counted = definePlugin({
      name: "counted",
      version: 0.1,
      priority: 1,
      schema: z.looseObject({}),
      setup: () => {
        this.setups += 1;
        return {
          dispose: () => {
            this.disposals += 1;
            if (this.isDisposalBroken) throw new Error("stuck");
          },
        };
      },
    });
    const logger = recordingLogger(this.lines);
    const connections = {
      acquire: () => {
        throw new Error("no route here has an upstream");
      },
    };
    this.publisher = new Publisher({
      cell: this.cell,
      clock,
      logger,
      onRouteDeleted: (id) => this.deleted.push(id),
      deps: {
        clock,
        prefix: "/apisix",
        routerKind: "radixtree_uri",
        catalog: catalogWith(counted),
        keyring: createKeyring([]),
        environment: {},
        portsOf: () => fakeDeps({ logger, clock, connections }),
        compileUpstream: () => connections.acquire(),
      },
    });
  }

  /** Publishes values by route id; none deletes the route. */
  publish(routes: Iterable<readonly [id: string, value: object | undefined]>): Promise<void> | undefined {
    return this.put([...routes].map(([id, value]) => [`routes/${id}`, value]));
  }

  /** Publishes objects by kind and id; none deletes one. */
  put(objects: Iterable<readonly [path: string, value: object | undefined]>): Promise<void> | undefined {
    this.#revision += 1;
    const revision = parseRevision(this.#revision);
    const changes: PendingChanges["changes"] = [...objects].map(([path, value]) => {
      const key = `/apisix/${path}`;
      const entry = { key, value: JSON.stringify(value), createRevision: revision, modRevision: revision };
      return { key, entry: value === undefined ? undefined : entry };
    });
    return this.publisher.publish({ changes, revision }, this.signal);
  }

  /** The id of the route that a GET gets. */
  match(path: string, host: string): string | undefined {
    const variables = { get: () => undefined };
    const input = { method: "GET", path, host, remoteAddress: "127.0.0.1", variables };
    return this.cell.current.router.match(input)?.value.id;
  }

  stop(): void {
    this.#abort.abort();
  }
}

function routes(count: number, prefix: string): (readonly [string, object])[] {
  return Array.from({ length: count }, (_, index) => {
    return [String(index), { uri: `${prefix}${index}`, plugins: { counted: {} } }] as const;
  });
}

test("few changes are in force when the call returns", () => {
  const bench = new Bench();
  expect(bench.publish(routes(3, "/a"))).toBeUndefined();
  expect(bench.cell.current.router.size).toBe(3);
  expect(bench.publisher.state.isLastSuccessful).toBe(true);
});

test.each([
  { what: "as large as they get", clock: new FakeClock() },
  { what: "as small as they get", clock: new HourlyClock() },
  { what: "measured", clock: systemClock },
])("many changes are in force together, in turns $what", async ({ clock }) => {
  const bench = new Bench(clock);
  const sizes = new Set<number>();
  const published = bench.publish(routes(MANY, "/a"));
  let isOver = false;
  void published?.then(() => {
    isOver = true;
  });
  while (!isOver) {
    sizes.add(bench.cell.current.router.size);
    await new Promise(setImmediate);
  }
  expect([...sizes]).toEqual([0]);
  expect(bench.cell.current.router.size).toBe(MANY);
  expect(bench.setups).toBe(MANY);
});

test("other work gets its turns while many changes are compiled", async () => {
  const bench = new Bench(new HourlyClock());
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  let isOver = false;
  setImmediate(count);
  await bench.publish(routes(MANY, "/a"));
  isOver = true;
  expect(turns).toBeGreaterThan(MANY / 25);
});

test("other work gets its turns while a service takes thousands of routes to other hosts, all at once", async () => {
  const bench = new Bench();
  const heirs = Array.from(
    { length: MANY },
    (_, index) => [`routes/${index}`, { uri: `/${index}`, service_id: "s" }] as const,
  );
  const old = { uri: "/0", host: "old.example", plugins: {} };
  const others = [["routes/other", old] as const];
  await bench.put([["services/s", { hosts: ["one.example"] }], ...heirs, ...others]);
  expect(bench.match("/7", "one.example")).toBe("7");
  const published = bench.put([["services/s", { hosts: ["two.example"] }]]);
  let turns = 0;
  let isOver = false;
  void published?.then(() => {
    isOver = true;
  });
  while (!isOver) {
    turns += 1;
    const hosts = ["one.example", "two.example"].map((host) =>
      [`/0`, `/${MANY - 1}`].map((uri) => bench.match(uri, host)),
    );
    expect(hosts).toContainEqual(["0", String(MANY - 1)]);
    expect(hosts).toContainEqual([undefined, undefined]);
    await new Promise(setImmediate);
  }
  expect(turns).toBeGreaterThan(MANY / 100);
  expect(bench.match("/7", "two.example")).toBe("7");
  expect(bench.match("/0", "old.example")).toBe("other");
  expect(bench.cell.current.router.size).toBe(MANY + 1);
});

test("a service that moves many routes changes nothing when the plane stops meanwhile", async () => {
  const bench = new Bench();
  const heirs = Array.from(
    { length: MANY },
    (_, index) => [`routes/${index}`, { uri: `/${index}`, service_id: "s" }] as const,
  );
  await bench.put([["services/s", { hosts: ["one.example"] }], ...heirs]);
  const published = bench.put([["services/s", { hosts: ["two.example"] }]]);
  bench.stop();
  await published;
  expect(bench.match("/7", "one.example")).toBe("7");
});

test.each([
  ["alone", 0],
  ["among many changes", MANY],
])("a service whose routes cannot be moved is told, %s, and what was in force stays", async (_how, others) => {
  const bench = new Bench();
  const heirs = Array.from(
    { length: MANY },
    (_, index) => [`routes/${index}`, { uri: `/${index}`, service_id: "s" }] as const,
  );
  await bench.put([["services/s", { hosts: ["one.example"] }], ...heirs]);
  const { current } = bench.cell;
  const { router } = current;
  const stuck: typeof router = {
    size: router.size,
    match: (input) => router.match(input),
    with: () => stuck,
    draft: () => ({
      apply: () => {
        throw new Error("stuck");
      },
      done: () => stuck,
    }),
  };
  bench.cell.publish({ ...current, router: stuck });
  const metadata = Array.from({ length: others }, (_, index) => [`protos/${index}`, { content: "" }] as const);
  await bench.put([["services/s", { hosts: ["two.example"] }], ...metadata]);
  expect(bench.lines).toContainEqual(
    expect.objectContaining({ level: "error", fields: expect.objectContaining({ reason: "stuck" }) }),
  );
  expect(bench.match("/7", "one.example")).toBe("7");
  expect(bench.match("/7", "two.example")).toBeUndefined();
  expect(bench.publisher.state.isLastSuccessful).toBe(false);
  bench.cell.publish({ ...bench.cell.current, router });
  await bench.put([["services/s", { hosts: ["two.example"] }]]);
  expect(bench.match("/7", "two.example")).toBe("7");
  expect(bench.publisher.state.isLastSuccessful).toBe(true);
});

test("everything that many changes replace or delete is given back once, after the change", async () => {
  const bench = new Bench();
  await bench.publish(routes(MANY, "/a"));
  const replaced = bench.publish(routes(MANY, "/b"));
  expect(bench.disposals).toBe(0);
  await replaced;
  expect(bench.disposals).toBe(MANY);
  await bench.publish(routes(MANY, "").map(([id]) => [id, undefined]));
  expect(bench.disposals).toBe(MANY * 2);
  expect(bench.deleted).toHaveLength(MANY);
  expect(bench.cell.current.router.size).toBe(0);
});

test.each([
  ["a few", 2],
  ["many", MANY],
])("plugins that cannot give back what they took are told of, and %s changes are in force", async (_how, count) => {
  const bench = new Bench();
  await bench.publish(routes(count, "/a"));
  bench.isDisposalBroken = true;
  await bench.publish(routes(count, "/b"));
  expect(bench.match("/b1", "any.example")).toBe("1");
  expect(bench.disposals).toBe(count);
  expect(bench.publisher.state.isLastSuccessful).toBe(true);
  const failure = { level: "error", fields: expect.objectContaining({ plugin: "counted", reason: "stuck" }) };
  expect(bench.lines).toContainEqual(expect.objectContaining(failure));
});

test("one bad object among many is told and costs no other", async () => {
  const bench = new Bench();
  await bench.publish([...routes(MANY, "/a"), ["bad", { uri: 1 }]]);
  expect(bench.cell.current.router.size).toBe(MANY);
  expect(bench.lines.filter(({ level }) => level === "error").map(({ fields }) => fields["id"])).toEqual(["bad"]);
});

test("many changes come to nothing when the plane stops meanwhile", async () => {
  const bench = new Bench();
  const published = bench.publish(routes(MANY, "/a"));
  bench.stop();
  await published;
  expect(bench.cell.current.router.size).toBe(0);
});
