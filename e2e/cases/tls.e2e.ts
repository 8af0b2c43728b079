import { X509Certificate } from "node:crypto";
import { get } from "node:https";
import {
  type Certificates,
  createCertificates,
  type EchoUpstream,
  type KeyPair,
  startEchoUpstream,
} from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { outcomeOf, type TlsCommands, tlsCommands } from "../support/tls-commands.ts";

describe.each(MODES)("TLS (%s)", (mode) => {
  let gateway: Gateway;
  let upstream: EchoUpstream;
  let commands: TlsCommands;
  let a: Certificates;
  let b: Certificates;
  let port: number;

  beforeAll(async () => {
    [a, b] = await Promise.all([
      createCertificates({ names: ["a.test", "mutual.test"] }),
      createCertificates({ names: ["a.test"] }),
    ]);
    upstream = await startEchoUpstream({
      reply: ({ url, headers }) => ({ body: `${url} ${headers["x-forwarded-proto"]}` }),
    });
    commands = await tlsCommands(a);
    gateway = await startGateway(mode, { apisix: { ssl: { ssl_session_tickets: true } } });
    port = gateway.dataPlane.address("https").port;
    await gateway.route({ all: { uri: "/*", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } } });
    await serve(a.server);
    const client = { ca: a.ca, skip_mtls_uri_regex: ["^/open/"] };
    await gateway.admin.put("/ssls/mutual", { sni: "mutual.test", ...a.server, client });
    await gateway.settle();
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
    await commands[Symbol.asyncDispose]();
  });

  const serve = async ({ cert, key }: KeyPair): Promise<void> => {
    await gateway.admin.put("/ssls/a", { sni: "a.test", cert, key });
  };

  /** Curl, which verifies the gateway's certificate against our authority. */
  const curl = (host: string, path: string, ...options: string[]) => commands.curl(port, { host, path }, ...options);

  const sClient = (...options: readonly string[]) => commands.sClient(port, ...options);

  it("serves HTTP/1.1 and HTTP/2 with a certificate that a client verifies", async () => {
    expect((await curl("a.test", "/x", "--http2")).text).toBe("/x https\n200 2");
    expect((await curl("a.test", "/x", "--http1.1")).text).toBe("/x https\n200 1.1");
    expect((await sClient("-servername", "a.test", "-verify_return_error")).text).toContain(
      "Verify return code: 0 (ok)",
    );
  });

  it.each([
    { suite: "ECDHE-ECDSA-AES128-GCM-SHA256", agrees: true },
    { suite: "ECDHE-ECDSA-CHACHA20-POLY1305", agrees: true },
    { suite: "ECDHE-ECDSA-AES256-SHA384", agrees: false },
    { suite: "ECDHE-ECDSA-AES128-SHA", agrees: false },
  ])("agrees on suites with authenticated encryption only: $suite", async ({ agrees, suite }) => {
    const { text } = await sClient("-servername", "a.test", "-tls1_2", "-cipher", suite);
    expect(text).toContain(agrees ? `Cipher is ${suite}` : "handshake failure");
  });

  it("refuses a handshake for a name that nobody has, and one without a name", async () => {
    for (const option of [["-servername", "other.test"], ["-noservername"]]) {
      const { text, code } = await sClient(...option);
      expect(code).not.toBe(0);
      expect(text).toContain("unrecognized name");
    }
  });

  it("asks clients for certificates, and lets paths that need none through without", async () => {
    const certificate = ["--cert", commands.clientFile];
    expect((await curl("mutual.test", "/x", ...certificate)).text).toBe("/x https\n200 2");
    expect((await curl("mutual.test", "/open/x")).text).toBe("/open/x https\n200 2");
    expect((await curl("mutual.test", "/x")).text).toMatch(/\n400 2$/);
    expect((await curl("a.test", "/x", "-H", "Host: mutual.test")).text).toMatch(/\n400 2$/);
  });

  it("resumes sessions by tickets under the same name", async () => {
    const file = commands.file("session");
    const name = ["-servername", "a.test", "-tls1_2"];
    expect((await sClient(...name, "-sess_out", file)).text).toContain("New, TLSv1.2");
    expect((await sClient(...name, "-sess_in", file)).text).toContain("Reused, TLSv1.2");
    const other = await sClient("-servername", "mutual.test", "-tls1_2", "-sess_in", file);
    expect(other.text).toContain("New, TLSv1.2");
  });

  it("answers plain HTTP on its port with 400", async () => {
    const { text } = await outcomeOf("curl", ["-s", `http://127.0.0.1:${port}/`]);
    expect(text).toContain("The plain HTTP request was sent to HTTPS port");
  });

  it("changes a certificate under load without one failed request", async () => {
    const seen = new Map<string, number>();
    const statuses = new Map<number, number>();
    const count = <TKey>(counts: Map<TKey, number>, key: TKey): void =>
      void counts.set(key, (counts.get(key) ?? 0) + 1);
    const stop = new AbortController();
    /** A handshake of its own for every request. */
    const ask = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const options = { host: "127.0.0.1", port, servername: "a.test", rejectUnauthorized: false, agent: false };
        const request = get({ ...options, path: "/load", headers: { host: "a.test" } }, (answer) => {
          count(statuses, answer.statusCode ?? 0);
          answer.resume().once("end", resolve).once("error", reject);
        });
        request.once("socket", (socket) =>
          socket.once("secureConnect", () => {
            if ("getPeerX509Certificate" in socket && typeof socket.getPeerX509Certificate === "function") {
              count(seen, String(socket.getPeerX509Certificate()?.fingerprint256));
            }
          }),
        );
        request.once("error", reject);
      });
    const load = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) await ask();
    });
    for (let change = 0; change < 10; change += 1) {
      await serve(change % 2 === 0 ? b.server : a.server);
      await gateway.settle();
      await ask();
    }
    stop.abort();
    await Promise.all(load);
    expect([...statuses.keys()]).toEqual([200]);
    const fingerprints = [a, b].map(({ server }) => new X509Certificate(server.cert).fingerprint256);
    expect([...seen.keys()].sort()).toEqual(fingerprints.sort());
  });

  it("shows no private key: not in the Admin API, not in a log", async () => {
    const secret = (a.server.key.split("\n")[1] ?? "").trim();
    const stored = JSON.stringify(await gateway.admin.send("GET", "/ssls/a"));
    expect(stored).toContain("BEGIN CERTIFICATE");
    expect(stored).not.toContain(secret);
    const logs = gateway.dataPlane.transcript + gateway.controlPlane.transcript;
    expect(logs).not.toContain(secret);
    expect(logs).not.toContain("PRIVATE KEY");
  });
});
