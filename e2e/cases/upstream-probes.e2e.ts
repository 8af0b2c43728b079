import { writeFile } from "node:fs/promises";
import {
  type Certificates,
  createCertificates,
  EchoUpstream,
  eventually,
  type TempDirectory,
  tempDirectory,
} from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addressOf,
  bare,
  type CheckedGateway,
  NOTHING_SEEN,
  startCheckedGateway,
  weighted,
} from "../support/checked-gateway.ts";
import { nodesOfKey } from "../support/hash-ring.ts";
import { valuesOf } from "../support/raw-response.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { TlsWitness } from "../support/tls-witness.ts";

const HASTY = { connect: 5, send: 5, read: 0.15 };

/** Both loops, and one observation is enough. */
const EAGER = {
  healthy: { interval: 1, successes: 1 },
  unhealthy: { interval: 1, http_failures: 1, tcp_failures: 1, timeouts: 1 },
};

describe("health checks, row by row", () => {
  let plane: CheckedGateway;
  let directory: TempDirectory;
  let certificates: Certificates;

  beforeAll(async () => {
    certificates = await createCertificates({ names: ["up.test", "localhost"] });
    directory = await tempDirectory();
    await writeFile(directory.file("ca.pem"), certificates.ca);
    plane = await startCheckedGateway({
      apisix: { ssl: { ssl_trusted_certificate: directory.file("ca.pem") } },
    });
  });
  afterAll(async () => {
    await plane[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  describe("a probe", () => {
    it("is the configured request, on a connection of its own", async () => {
      await using node = await startRecorder();
      const active = {
        http_method: "POST",
        http_path: "/health?deep=1",
        http_req_body: "are you well?",
        req_headers: ["X-Probe: 1", "User-Agent: prober"],
        host: "probe.test",
        ...EAGER,
      };
      await plane.put("request", { nodes: { [addressOf(node)]: 1, "127.0.0.1:1": 1 }, checks: { active } });
      await plane.ask("request");
      const probe = await probeOf(node);
      expect(probe).toMatchObject({ requestLine: "POST /health?deep=1 HTTP/1.1", body: "are you well?" });
      const sent = ["host", "connection", "x-probe", "user-agent"].map((name) => valuesOf(probe, name).join());
      expect(sent).toEqual(["probe.test", "close", "1", "prober"]);
      expect(await plane.node("request", node.port)).toMatchObject({ hostname: "probe.test", status: "healthy" });
    });

    it.each([
      {
        what: "`upstream_host` where that is sent",
        host: "fixed.test",
        of: { pass_host: "rewrite", upstream_host: "fixed.test" },
      },
      { what: "`checks.active.host`", host: "probe.test", of: {}, probed: "probe.test" },
      { what: "the node's address", host: "127.0.0.1", of: {} },
    ])("is for $what", async ({ host, of, probed }) => {
      await using node = await startRecorder();
      const active = { http_path: "/health", ...(probed === undefined ? {} : { host: probed }), ...EAGER };
      await plane.put("host", { ...of, nodes: { [addressOf(node)]: 1, "127.0.0.1:1": 1 }, checks: { active } });
      await plane.ask("host");
      expect(valuesOf(await probeOf(node), "host")).toEqual([host]);
    });

    it("is for the node's name, even if there is a host in `checks`", async () => {
      await using node = await startRecorder();
      const active = { http_path: "/health", host: "probe.test", ...EAGER };
      await plane.put("named", { nodes: { [`localhost:${node.port}`]: 1, "127.0.0.1:1": 1 }, checks: { active } });
      await plane.ask("named");
      expect(valuesOf(await probeOf(node), "host")).toEqual(["localhost"]);
    });

    it("is for an address of IPv6 in brackets", async () => {
      await using node = new EchoUpstream({ host: "::1" });
      await node.listen();
      const active = { http_path: "/health", ...EAGER };
      await plane.put("six", { nodes: { [`[::1]:${node.port}`]: 1, "127.0.0.1:1": 1 }, checks: { active } });
      await plane.ask("six");
      const probe = await eventually(() => {
        const found = node.requests.find(({ url }) => url === "/health");
        if (found === undefined) throw new Error("no probe has come");
        return found;
      });
      expect(probe?.headers.host).toBe("[::1]");
      await eventually(async () =>
        (await plane.nodes("six")).some(({ port, status: state }) => port === 1 && state === "unhealthy"),
      );
      expect(await plane.node("six", node.port)).toMatchObject({ status: "healthy" });
    });

    it("goes to `checks.active.port`, which says nothing of the node's own port", async () => {
      await using node = await startRecorder();
      await using health = await startRecorder();
      health.answerWith(bare(500));
      const active = { http_path: "/health", port: health.port, ...EAGER };
      await plane.put("port", { nodes: { [addressOf(node)]: 1, "127.0.0.2:1": 1 }, checks: { active } });
      await plane.ask("port");
      await eventually(
        async () => (await plane.nodes("port")).find(({ ip }) => ip === "127.0.0.1")?.status === "unhealthy",
      );
      expect(node.requests.every(({ requestLine }) => requestLine.startsWith("GET /port "))).toBe(true);
    });
  });

  describe("what a probe sees", () => {
    it.each([
      { what: "a status that is unhealthy by default", answer: bare(404), kind: "http_failure" },
      { what: "an answer that is no HTTP", answer: "SSH-2.0-Open\r\n", kind: "http_failure" },
      { what: "a connection that is closed", answer: undefined, kind: "tcp_failure" },
      { what: "silence", answer: "", kind: "timeout_failure" },
    ])("$what counts as $kind", async ({ answer, kind }) => {
      await using node = await startRecorder();
      node.answerWith(
        (_, socket) => void (answer === undefined ? socket.destroy() : answer !== "" && socket.write(answer)),
      );
      const active = { timeout: 0.2, http_path: "/health", ...EAGER };
      await plane.put("seen", {
        nodes: { [addressOf(node)]: 1, "127.0.0.1:1": 1 },
        checks: { active },
        timeout: HASTY,
        retries: 0,
      });
      await plane.ask("seen");
      await eventually(async () => (await plane.node("seen", node.port))?.status === "unhealthy");
      expect((await plane.node("seen", node.port))?.counter).toEqual({ ...NOTHING_SEEN, [kind]: 1 });
      await plane.gateway.admin.delete("/routes/seen");
      await plane.gateway.admin.delete("/upstreams/seen");
    });

    it("a status of neither list counts as nothing, one of both as healthy", async () => {
      await using neither = await startRecorder();
      await using both = await startRecorder();
      await using marker = await startRecorder();
      neither.answerWith(bare(418));
      both.answerWith(bare(200));
      marker.answerWith(bare(500));
      const checks = {
        active: {
          http_path: "/health",
          healthy: { interval: 1, successes: 1, http_statuses: [200] },
          unhealthy: { interval: 1, http_failures: 1, http_statuses: [200, 500] },
        },
      };
      await plane.put("lists", { nodes: weighted([neither, both, marker]), checks });
      await plane.ask("lists");
      await eventually(async () => (await plane.node("lists", marker.port))?.status === "unhealthy");
      await probeOf(neither, 2);
      for (const node of [neither, both]) {
        expect(await plane.node("lists", node.port)).toMatchObject({ status: "healthy", counter: NOTHING_SEEN });
      }
    });

    it("of type tcp is a connection, and nothing is said on it", async () => {
      await using node = await startRecorder();
      const active = { type: "tcp", ...EAGER };
      await plane.put("tcp", { nodes: { [addressOf(node)]: 1, "127.0.0.1:1": 1 }, checks: { active } });
      await plane.ask("tcp");
      const { connections } = node;
      await eventually(() => node.connections > connections + 1);
      await eventually(async () => (await plane.node("tcp", 1))?.status === "unhealthy");
      expect((await plane.node("tcp", 1))?.counter).toMatchObject({ http_failure: 0, timeout_failure: 0 });
      expect((await plane.node("tcp", node.port))?.status).toBe("healthy");
      expect(node.requests.every(({ requestLine }) => requestLine.startsWith("GET /tcp "))).toBe(true);
    });

    it("of type https is verified unless that is switched off", async () => {
      const strange = await createCertificates({ names: ["up.test"] });
      await using known = await new TlsWitness(certificates.server).listen();
      await using stranger = await new TlsWitness(strange.server).listen();
      const nodes = { [`127.0.0.1:${known.port}`]: 1, [`127.0.0.1:${stranger.port}`]: 1 };
      const active = { type: "https", http_path: "/health", host: "up.test", ...EAGER };
      await plane.put("verified", { scheme: "https", nodes, checks: { active } });
      await plane.put("trusting", {
        scheme: "https",
        nodes,
        checks: { active: { ...active, https_verify_certificate: false } },
      });
      await plane.put("misnamed", { scheme: "https", nodes, checks: { active: { ...active, host: "other.test" } } });
      for (const id of ["verified", "trusting", "misnamed"]) await plane.ask(id);
      await eventually(async () => (await plane.node("verified", stranger.port))?.status === "unhealthy");
      await eventually(async () => (await plane.node("misnamed", known.port))?.status === "unhealthy");
      expect((await plane.node("verified", stranger.port))?.counter).toEqual({ ...NOTHING_SEEN, tcp_failure: 1 });
      expect((await plane.node("verified", known.port))?.status).toBe("healthy");
      const probesSeen = () => stranger.seen.filter(({ host }) => host === "up.test").length;
      await eventually(() => probesSeen() > 1);
      expect((await plane.node("trusting", stranger.port))?.status).toBe("healthy");
      expect(known.seen.some(({ serverName }) => serverName === "up.test")).toBe(true);
    });
  });

  it("probes only nodes in the states that `healthy` and `unhealthy` are there for", async () => {
    await using silentNode = await startRecorder();
    await using oneWay = await startRecorder();
    await using clock = await startRecorder();
    const spare = "127.0.0.1:1";
    await plane.put("no-loops", {
      nodes: { [addressOf(silentNode)]: 1, [spare]: 1 },
      checks: { active: { http_path: "/health" } },
    });
    const healthy = { interval: 1 };
    await plane.put("one-loop", {
      nodes: { [addressOf(oneWay)]: 1, [spare]: 1 },
      checks: { active: { http_path: "/health", healthy } },
    });
    await plane.put("clock", {
      nodes: { [addressOf(clock)]: 1, [spare]: 1 },
      checks: { active: { http_path: "/health", ...EAGER } },
    });
    for (const id of ["no-loops", "one-loop", "clock"]) await plane.ask(id);
    // By default the fifth bad status takes a node out; from then on nobody looks at it.
    oneWay.answerWith(bare(500));
    await eventually(async () => (await plane.node("one-loop", oneWay.port))?.status === "unhealthy");
    oneWay.answerWith(bare(200));
    const { length } = oneWay.requests;
    await probeOf(clock, clock.requests.length + 2);
    expect(oneWay.requests).toHaveLength(length);
    expect((await plane.node("one-loop", oneWay.port))?.counter).toMatchObject({ http_failure: 5 });
    expect(silentNode.requests.every(({ requestLine }) => requestLine.startsWith("GET /no-loops "))).toBe(true);
  });

  it("knows no node before the first request", async () => {
    await using node = await startRecorder();
    await plane.put("lazy", { nodes: { [addressOf(node)]: 1, "127.0.0.1:1": 1 }, checks: { active: EAGER } });
    expect(await plane.nodes("lazy")).toEqual([]);
    await plane.ask("lazy");
    expect((await plane.nodes("lazy")).map(({ port }) => port).sort()).toEqual([node.port, 1].sort());
  });

  it("leaves a lone node in use even if it is down", async () => {
    await using node = await startRecorder();
    node.answerWith(bare(500));
    await plane.put("lone", {
      nodes: { [addressOf(node)]: 1 },
      checks: { active: { http_path: "/health", ...EAGER } },
    });
    await plane.ask("lone");
    await eventually(async () => (await plane.node("lone", node.port))?.status === "unhealthy");
    expect(await plane.ask("lone")).toBe(addressOf(node));
  });

  it("keeps what is known of nodes when `checks` change", async () => {
    await using node = await startRecorder();
    await using other = await startRecorder();
    node.answerWith(bare(500));
    const nodes = weighted([node, other]);
    await plane.put("changed", { nodes, checks: { active: { http_path: "/one", ...EAGER } } });
    await plane.ask("changed");
    await eventually(async () => (await plane.node("changed", node.port))?.status === "unhealthy");
    await plane.put("changed", { nodes, checks: { active: { http_path: "/two" } } });
    expect((await plane.node("changed", node.port))?.status).toBe("unhealthy");
    for (let count = 0; count < 4; count += 1) expect(await plane.ask("changed")).toBe(addressOf(other));
  });

  it("keeps every key of consistent hashing where it is, but for those of nodes that are down", async () => {
    await using node = await startRecorder();
    await using two = await startRecorder();
    await using three = await startRecorder();
    node.answerWith(bare(500));
    const nodes = weighted([node, two, three]);
    const hashed = {
      type: "chash",
      hash_on: "header",
      key: "x-key",
      nodes,
      checks: { active: { http_path: "/h", ...EAGER } },
    };
    await plane.put("hashed", hashed);
    await plane.ask("hashed");
    await eventually(async () => (await plane.node("hashed", node.port))?.status === "unhealthy");
    for (let key = 0; key < 12; key += 1) {
      const asked = await plane.ask("hashed", [`X-Key: ${key}`]);
      const wanted = nodesOfKey(nodes, String(key)).find((address) => address !== addressOf(node));
      expect(asked).toBe(wanted);
    }
  });
});

/** Probe number `count` of a node: requests of the tests have the path of their upstream. */
async function probeOf(node: Recorder, count = 1) {
  return eventually(() => {
    const probe = node.requests.filter(({ requestLine }) => /^\w+ \/health/.test(requestLine))[count - 1];
    if (probe === undefined) throw new Error(`probe ${count} has not come`);
    return probe;
  });
}
