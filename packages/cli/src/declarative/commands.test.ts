import { readFile, writeFile } from "node:fs/promises";
import { type ControlPlane, createControlPlane } from "@fngate/control-plane";
import { GatewayError, silentLogger, systemClock } from "@fngate/kernel";
import { createCatalog } from "@fngate/plugins";
import { createKeyring, DEFAULT_KEYRING } from "@fngate/schema";
import type { ConfigStore, PutOptions } from "@fngate/store";
import { createCertificates, FakeConfigStore, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { CommandIo } from "../command-io.ts";
import { run } from "../run.ts";

const KEY = "a-key-of-the-tests";

let directory: TempDirectory;
let store: FakeConfigStore;
let plane: ControlPlane;
/** Called with the key of each put; may fail it. */
let beforePut: (key: string) => void;
let listeners: ((signal: NodeJS.Signals) => void)[];

beforeEach(async () => {
  directory = await tempDirectory();
  store = new FakeConfigStore();
  beforePut = () => undefined;
  listeners = [];
  plane = createControlPlane({
    store: faulty(store),
    prefix: "/apisix",
    catalog: createCatalog(undefined),
    keyring: createKeyring(DEFAULT_KEYRING),
    listen: { host: "127.0.0.1", port: 0 },
    keys: [{ name: "admin", key: KEY, role: "admin" }],
    isKeyRequired: true,
    isCorsEnabled: false,
    serverHeader: "APISIX/3.18.0",
    isStreamEnabled: false,
    logger: silentLogger,
    clock: systemClock,
  });
  await plane.start();
});

afterEach(async () => {
  await plane.stop();
  await store.close();
  await directory[Symbol.asyncDispose]();
});

function faulty(inner: ConfigStore): ConfigStore {
  return {
    get: (key, options) => inner.get(key, options),
    list: (prefix, options) => inner.list(prefix, options),
    put: async (key, value, options?: PutOptions) => {
      beforePut(key);
      return inner.put(key, value, options);
    },
    delete: (key, options) => inner.delete(key, options),
    deletePrefix: (prefix, options) => inner.deletePrefix(prefix, options),
    watch: (prefix, after, options) => inner.watch(prefix, after, options),
    close: () => inner.close(),
  };
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function fngate(argv: readonly string[], over: Partial<CommandIo> = {}): Promise<Outcome> {
  let [stdout, stderr] = ["", ""];
  const { address } = plane;
  const port = address !== undefined && "port" in address ? address.port : 0;
  const code = await run({
    argv: [...argv.slice(0, 2), "--admin", `http://127.0.0.1:${port}`, ...argv.slice(2)],
    environment: { FNGATE_ADMIN_KEY: KEY },
    workingDirectory: directory.path,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    signals: { on: (_signal, listener) => listeners.push(listener), off: () => undefined },
    exitNow: () => undefined,
    ...over,
  });
  return { code, stdout, stderr };
}

const FILE = ["--file", "apisix.yaml"];
const file = (text: string) => writeFile(directory.file("apisix.yaml"), text);
const importFile = (...flags: readonly string[]) => fngate(["config", "import", ...FILE, "--yes", ...flags]);

/** What is stored, timestamps left out. */
async function stored(): Promise<Readonly<Record<string, unknown>>> {
  const { entries } = await store.list("/apisix/");
  const objects = entries.filter(({ value }) => value.startsWith("{"));
  return Object.fromEntries(
    objects.map(({ key, value }) => {
      const { create_time: _created, update_time: _updated, ...rest } = JSON.parse(value);
      return [key.replace("/apisix/", ""), rest];
    }),
  );
}

const UPSTREAM = "{ id: u1, type: roundrobin, nodes: { '127.0.0.1:1980': 1 } }";
const THREE = `routes:\n  - { id: r1, uri: /a, service_id: s1 }\nservices:\n  - { id: s1, upstream_id: u1 }\nupstreams:\n  - ${UPSTREAM}\n`;

describe("config import", () => {
  it("writes objects after those that they name, and says so first", async () => {
    const written: string[] = [];
    beforePut = (key) => written.push(key.replace("/apisix/", ""));
    await file(THREE);
    const { code, stdout } = await importFile();
    expect(code).toBe(0);
    expect(stdout).toBe(
      "  + upstream u1\n  + service s1\n  + route r1\n3 to create, 0 to change, 0 to delete, 0 as they are\ndone: 3 changes\n",
    );
    expect(written).toEqual(["upstreams/u1", "services/s1", "routes/r1"]);
  });

  it("does nothing the second time, and only what differs the third", async () => {
    await file(THREE);
    await importFile();
    expect((await importFile()).stdout).toBe("0 to create, 0 to change, 0 to delete, 3 as they are\n");
    await file(THREE.replace("uri: /a", "uri: /b, labels: { team: x }"));
    expect((await importFile()).stdout).toMatch(/^ {2}~ route r1: labels, uri\n0 to create, 1 to change/);
    expect(await stored()).toMatchObject({ "routes/r1": { uri: "/b", labels: { team: "x" } } });
  });

  it("leaves alone what the file does not have, or deletes it, users first", async () => {
    await file(THREE);
    await importFile();
    await file("routes: []\n");
    expect((await importFile()).stdout).toMatch(
      /\n3 not in the file stay \(--prune deletes them\): route r1, service s1/,
    );
    expect(Object.keys(await stored())).toHaveLength(3);
    const { code, stdout } = await importFile("--prune");
    expect([code, stdout.split("\n").slice(0, 3)]).toEqual([0, ["  - route r1", "  - service s1", "  - upstream u1"]]);
    expect(await stored()).toEqual({});
  });

  it("knows consumers with credentials and secrets of managers", async () => {
    await file(
      "consumers:\n  - { username: jack }\n  - { id: jack/credentials/c1, desc: one }\nsecrets:\n  - { id: vault/v1, uri: 'http://v', prefix: p, token: t }\n",
    );
    expect((await importFile()).code).toBe(0);
    expect(Object.keys(await stored())).toEqual([
      "consumers/jack",
      "consumers/jack/credentials/c1",
      "secrets/vault/v1",
    ]);
    expect((await importFile()).stdout).toContain("3 as they are");
    await file("consumers: []\n");
    expect((await importFile("--prune")).code).toBe(0);
    expect(await stored()).toEqual({});
  });

  it("changes nothing on a dry run, without consent, or with nobody to ask", async () => {
    await file(THREE);
    expect(await importFile("--dry-run")).toMatchObject({ code: 0, stdout: expect.stringContaining("+ route r1") });
    const asked: string[] = [];
    const confirm = async (question: string) => asked.push(question) === 0;
    expect((await fngate(["config", "import", ...FILE], { confirm })).code).toBe(1);
    expect(asked).toEqual([expect.stringMatching(/^Apply this to http:\/\/127\.0\.0\.1:\d+\?$/)]);
    const { code, stderr } = await fngate(["config", "import", ...FILE]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("--yes was not given")]);
    expect(await stored()).toEqual({});
  });

  it("refuses a file with every reason and its line before anything is written", async () => {
    await file(
      "routes:\n  - id: r1\n    uri: 5\n  - { id: r2, uri: /, plugins: { nope: {} } }\n  - { id: r3, uri: /, service_id: gone }\n  - { uri: /unnamed, plugins: {} }\nstream_routes:\n  - { id: t1, upstream_id: u1 }\nupstreams:\n  - { id: u1, type: roundrobin, nodes: {} }\n",
    );
    const { code, stderr } = await importFile();
    expect(code).toBe(1);
    const lines = stderr.trim().split("\n").sort();
    expect(lines).toEqual([
      'fngate: apisix.yaml:2: route r1: invalid configuration: property "uri" validation failed: wrong type: expected string, got number',
      "fngate: apisix.yaml:4: route r2: unknown plugin [nope]",
      "fngate: apisix.yaml:5: route r3 names service gone, which there would not be",
      "fngate: apisix.yaml:6: an item of routes has no id, by which it would be found again",
      "fngate: apisix.yaml:8: stream mode is disabled, can not add stream routes",
    ]);
    expect(await stored()).toEqual({});
  });

  it("refuses a file of which a part would be lost", async () => {
    await file("route:\n  - { id: r1, uri: / }\n");
    expect(await importFile()).toMatchObject({ code: 1, stderr: expect.stringContaining("did you mean routes?") });
  });

  it("reads all of a file that is larger than one request may be", async () => {
    const desc = "x".repeat(200);
    const routes = Array.from({ length: 6_000 }, (_, index) => ({ id: `r${index}`, uri: 1, desc }));
    await writeFile(directory.file("many.json"), JSON.stringify({ routes }));
    const { stderr } = await fngate(["config", "import", "--file", "many.json", "--yes"]);
    expect(stderr.match(/expected string, got number/g)).toHaveLength(6_000);
  });
});

describe("an import that cannot be finished", () => {
  const before = `${THREE}consumers:\n  - { username: old, desc: one }\n`;
  const after = `routes:\n  - { id: r1, uri: /b, service_id: s2 }\nservices:\n  - { id: s2, upstream_id: u2 }\nupstreams:\n  - ${UPSTREAM.replace("u1", "u2")}\nconsumers:\n  - { username: old, desc: two }\n`;
  let initial: Readonly<Record<string, unknown>>;

  beforeEach(async () => {
    await file(before);
    await importFile();
    initial = await stored();
    await file(after);
  });

  it("puts everything back when the store fails halfway", async () => {
    let failures = 0;
    beforePut = (key) => {
      if (key !== "/apisix/routes/r1" || failures > 0) return;
      failures += 1;
      throw new GatewayError("STORE_UNAVAILABLE", "gone");
    };
    const { code, stderr } = await importFile("--prune");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/cannot change route r1: .*; all \d changes before it were put back/),
    ]);
    expect(await stored()).toEqual(initial);
  });

  it("overwrites nobody's change, and puts its own back", async () => {
    const confirm = async () => {
      await store.put("/apisix/consumers/old", JSON.stringify({ username: "old", desc: "somebody else" }));
      return true;
    };
    const { code, stderr } = await fngate(["config", "import", ...FILE], { confirm });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("cannot change consumer old: somebody else changed it"),
    ]);
    expect(await stored()).toEqual({ ...initial, "consumers/old": { username: "old", desc: "somebody else" } });
  });

  it("does not take over what somebody created meanwhile", async () => {
    const theirs = { id: "u2", type: "chash", nodes: {}, key: "uri" };
    const confirm = async () => {
      await store.put("/apisix/upstreams/u2", JSON.stringify(theirs));
      return true;
    };
    expect((await fngate(["config", "import", ...FILE], { confirm })).code).toBe(1);
    expect(await stored()).toEqual({ ...initial, "upstreams/u2": theirs });
  });

  it("puts everything back when it is interrupted", async () => {
    beforePut = (key) => {
      if (key === "/apisix/services/s2") for (const listener of listeners) listener("SIGINT");
    };
    const { code, stderr } = await importFile();
    expect([code, stderr]).toEqual([1, expect.stringContaining("interrupted; all ")]);
    expect(await stored()).toEqual(initial);
  });

  it("names what it could not put back, with an exit code of its own", async () => {
    let isAway = false;
    beforePut = (key) => {
      isAway ||= key === "/apisix/routes/r1";
      if (isAway) throw new GatewayError("STORE_UNAVAILABLE", "gone");
    };
    await file(before.replace("desc: one", "desc: two").replace("uri: /a", "uri: /b").replace("': 1 }", "': 2 }"));
    const { code, stderr } = await importFile();
    expect(code).toBe(5);
    expect(stderr).toMatch(/cannot change route r1/);
    expect(stderr).toMatch(/not put back: change upstream u1/);
  });
});

describe("config export", () => {
  it("writes what can be imported again, everything included", async () => {
    await file(`${THREE}consumers:\n  - { username: jack, desc: one }\n  - { id: jack/credentials/c1 }\n`);
    await importFile();
    const { code, stderr } = await fngate(["config", "export", "--file", "out.yaml"]);
    expect([code, stderr]).toEqual([0, "5 objects exported\n"]);
    const text = await readFile(directory.file("out.yaml"), "utf8");
    expect(text).toMatch(/\n#END\n$/);
    expect(parse(text)).toEqual({
      routes: [{ id: "r1", uri: "/a", service_id: "s1" }],
      services: [{ id: "s1", upstream_id: "u1" }],
      upstreams: [{ id: "u1", type: "roundrobin", nodes: { "127.0.0.1:1980": 1 } }],
      consumers: [{ username: "jack", desc: "one" }, { id: "jack/credentials/c1" }],
    });
    const before = await stored();
    await fngate(["config", "import", "--file", "out.yaml", "--yes", "--prune"]);
    expect(await stored()).toEqual(before);
  });

  it("leaves private keys out, and what has them stays as it is at the next import", async () => {
    const { server } = await createCertificates();
    const ssl = { id: "1", sni: "a.test", cert: server.cert, key: server.key };
    await writeFile(directory.file("apisix.json"), JSON.stringify({ ssls: [ssl] }));
    expect((await fngate(["config", "import", "--file", "apisix.json", "--yes"])).code).toBe(0);
    const { stdout } = await fngate(["config", "export"]);
    expect(stdout).not.toContain("PRIVATE KEY");
    await file(stdout);
    expect(await importFile("--prune")).toMatchObject({ code: 0, stdout: expect.stringContaining("1 as they are") });
  });
});

describe("config diff", () => {
  it("ends with 0 when there is none and with 4 when there is one, and writes nothing", async () => {
    await file(THREE);
    const diff = () => fngate(["config", "diff", ...FILE]);
    expect(await diff()).toMatchObject({ code: 4, stdout: expect.stringContaining("3 to create") });
    expect(await stored()).toEqual({});
    await importFile();
    expect((await diff()).code).toBe(0);
  });
});

describe("access", () => {
  it.each([
    [["--key", "wrong"], /failed to check token \(wrong apikey\)/],
    [["--admin", "nowhere"], /--admin: expected http:\/\/host:port/],
    [["--admin", "http://127.0.0.1:1"], /http:\/\/127\.0\.0\.1:1\/.*ECONNREFUSED/],
    [["--ca", "none.pem"], /cannot read .*none\.pem \(--ca\)/],
  ])("with %j fails with the reason", async (flags, reason) => {
    const { code, stderr } = await fngate(["config", "export", ...flags]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(reason)]);
  });
});
