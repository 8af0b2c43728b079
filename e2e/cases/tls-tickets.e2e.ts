import { once } from "node:events";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { type Certificates, createCertificates, eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN_KEY, AdminClient } from "../support/admin-client.ts";
import { type FngateProcess, startFngate } from "../support/fngate-process.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };
const WORKERS = 2;

/** Connections that are opened at once, so that every worker accepts some. */
const CLIENTS = 8;

interface Visit {
  /** Process that answered. */
  readonly worker: string;
  readonly isResumed: boolean;
  /** To be resumed with. */
  readonly session: Buffer | undefined;
}

interface Asked {
  readonly servername: string;
  readonly session?: Buffer;
  readonly version?: Version;
}

type Version = "TLSv1.2" | "TLSv1.3";

const VERSIONS: readonly Version[] = ["TLSv1.2", "TLSv1.3"];

describe("session tickets among workers", () => {
  let gateway: FngateProcess;
  let certificates: Certificates;
  let port: number;

  beforeAll(async () => {
    certificates = await createCertificates({ names: ["a.test", "b.test"] });
    gateway = await startFngate(
      {
        deployment: {
          role: "traditional",
          role_traditional: { config_provider: "embedded" },
          admin: { admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }], admin_listen: LOOPBACK },
        },
        apisix: { node_listen: [LOOPBACK], control: LOOPBACK, ssl: { ssl_session_tickets: true } },
        plugin_attr: { prometheus: { export_addr: LOOPBACK } },
      },
      { environment: { APISIX_WORKER_PROCESSES: String(WORKERS) } },
    );
    port = gateway.address("https").port;
    const admin = new AdminClient(gateway.address("admin").port);
    for (const name of ["a", "b"]) await admin.put(`/ssls/${name}`, { sni: `${name}.test`, ...certificates.server });
    const plugins = { mocking: { response_example: "$pid" } };
    await admin.put("/routes/1", { uri: "/", plugins });
    await eventually(async () => {
      const visits = await crowd({ servername: "a.test" });
      expect(visits.map(({ worker }) => worker)).not.toContain("");
      expect(new Set(visits.map(({ worker }) => worker)).size).toBe(WORKERS);
    });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  /** One request on a connection of its own. */
  async function visit({ servername, session, version = "TLSv1.3" }: Asked): Promise<Visit> {
    const versions = { minVersion: version, maxVersion: version };
    const trust = { ca: certificates.ca, ...(session && { session }) };
    const socket = connect({ host: "127.0.0.1", port, servername, ...versions, ...trust });
    let newest: Buffer | undefined;
    socket.on("session", (issued: Buffer) => {
      newest = issued;
    });
    await once(socket, "secureConnect");
    // Nothing can be read of it afterwards.
    const isResumed = socket.isSessionReused();
    socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    const worker = /^\d+$/m.exec(answer.slice(answer.indexOf("\r\n\r\n")))?.[0] ?? "";
    return { worker, isResumed, session: newest };
  }

  const crowd = (asked: Asked): Promise<readonly Visit[]> =>
    Promise.all(Array.from({ length: CLIENTS }, () => visit(asked)));

  /** A session that one of the workers began. */
  async function begin(version: Version): Promise<Buffer> {
    const { isResumed, session } = await visit({ servername: "a.test", version });
    expect(isResumed).toBe(false);
    if (session === undefined) throw new Error("no session was issued");
    return session;
  }

  it.each(VERSIONS)("are taken by every worker: %s", async (version) => {
    const session = await begin(version);
    const seen = new Set<string>();
    await eventually(async () => {
      const visits = await crowd({ servername: "a.test", session, version });
      for (const { isResumed, worker } of visits) if (isResumed) seen.add(worker);
      expect(visits.filter(({ isResumed }) => !isResumed)).toEqual([]);
      expect(seen.size).toBe(WORKERS);
    });
  });

  it.each(VERSIONS)("are not taken for another certificate object, whichever worker is asked: %s", async (version) => {
    const session = await begin(version);
    const visits = await crowd({ servername: "b.test", session, version });
    expect(visits.filter(({ isResumed }) => isResumed)).toEqual([]);
  });

  it("are taken by a worker that was started in another's place", async () => {
    const session = await begin("TLSv1.3");
    const before = new Set((await crowd({ servername: "a.test" })).map(({ worker }) => worker));
    const [pid] = before;
    process.kill(Number(pid), "SIGKILL");
    await eventually(
      async () => {
        const visits = await crowd({ servername: "a.test", session }).catch(() => []);
        const isNew = ({ worker }: Visit): boolean => worker !== "" && !before.has(worker);
        expect(visits.some(isNew)).toBe(true);
        expect(visits.filter((one) => isNew(one) && !one.isResumed)).toEqual([]);
      },
      { deadlineMs: 40_000 },
    );
  });
});
