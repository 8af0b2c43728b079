import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { text as textOf } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { type Certificates, createCertificates, type EchoUpstream, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type TlsCommands, tlsCommands } from "../support/tls-commands.ts";

/** TLS 1.1 has none of the suites that the default allows; the order is the other way round than the client's. */
const CIPHERS =
  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA";

/** Lets openssl's client speak TLS 1.1, whose signatures its own default refuses. */
const ANY_LEVEL = ["-cipher", "ALL:@SECLEVEL=0"];

/** Rows of the specification: TLS, listeners and `ssls` objects, as far as they are about the handshake. */
describe("what a handshake agrees on", () => {
  const stack = new AsyncDisposableStack();
  let gateway: Gateway;
  let upstream: EchoUpstream;
  let commands: TlsCommands;
  let port: number;
  let ec: Certificates;
  let rsa: Certificates;
  let other: Certificates;
  let chained: Certificates;

  beforeAll(async () => {
    [ec, rsa, other, chained] = await Promise.all([
      createCertificates(),
      createCertificates({ keyType: "rsa" }),
      createCertificates(),
      createCertificates({ intermediates: 1 }),
    ]);
    commands = stack.use(await tlsCommands({ ...ec, ca: ec.ca + rsa.ca + chained.ca }));
    upstream = stack.use(await startEchoUpstream({ reply: ({ url }) => ({ body: `got ${url}` }) }));
    const ssl = { ssl_protocols: "TLSv1.2", ssl_ciphers: CIPHERS };
    gateway = stack.use(await startGateway("embedded", { apisix: { ssl } }));
    port = gateway.dataPlane.address("https").port;
    const all = ["TLSv1.1", "TLSv1.2", "TLSv1.3"];
    const objects = {
      plain: { ...ec.server },
      own: { ...ec.server, ssl_protocols: ["TLSv1.3"] },
      gap: { ...ec.server, ssl_protocols: ["TLSv1.1", "TLSv1.3"] },
      all: { ...ec.server, ssl_protocols: all },
      pairs: { ...ec.server, certs: [rsa.server.cert], keys: [rsa.server.key], ssl_protocols: all },
      chain: { ...chained.client },
    };
    for (const [id, object] of Object.entries(objects)) {
      await gateway.admin.put(`/ssls/${id}`, { ...object, sni: `${id}.test` });
    }
    await gateway.route({ all: { uri: "/*", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } } });
  });
  afterAll(() => stack.disposeAsync());

  const sClient = (name: string, ...options: readonly string[]) =>
    commands.sClient(port, "-servername", `${name}.test`, ...options);

  const versions: readonly { readonly name: string; readonly speaks: string; readonly refuses: readonly string[] }[] = [
    { name: "plain", speaks: "1.2", refuses: ["1.1", "1.3"] },
    { name: "own", speaks: "1.3", refuses: ["1.1", "1.2"] },
    { name: "gap", speaks: "1.1 1.3", refuses: ["1.2"] },
    { name: "all", speaks: "1.1 1.2 1.3", refuses: [] },
  ];
  it.each(versions)("TLS $speaks, and no other version, on the object `$name`", async ({ name, speaks, refuses }) => {
    const option = (version: string): string => `-tls${version.replace(".", "_")}`;
    for (const version of speaks.split(" ")) {
      const { text, code } = await sClient(name, option(version), ...ANY_LEVEL);
      // Of TLS 1.3 openssl tells no session.
      expect(text).toMatch(version === "1.3" ? /^New, TLSv1\.3, /m : new RegExp(`Protocol +: TLSv${version}$`, "m"));
      expect(code).toBe(0);
    }
    for (const version of refuses) {
      const { text, code } = await sClient(name, option(version), ...ANY_LEVEL);
      expect(text).toMatch(/alert protocol version|unsupported protocol/);
      expect(code).not.toBe(0);
    }
  });

  it("the gateway's order of cipher suites, and none that it does not have", async () => {
    const twelve = ["-tls1_2", "-cipher"];
    const both = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
    expect((await sClient("plain", ...twelve, both)).text).toContain("Cipher is ECDHE-ECDSA-AES256-GCM-SHA384");
    const weak = await sClient("plain", ...twelve, "ECDHE-ECDSA-AES256-SHA384");
    expect(weak.text).toContain("handshake failure");
    expect(weak.code).not.toBe(0);
  });

  it.each([
    { kind: "ECDSA by signature algorithms", options: ["-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256"], shows: "EC" },
    { kind: "RSA by signature algorithms", options: ["-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"], shows: "RSA" },
    { kind: "ECDSA by cipher suites", options: ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], shows: "EC" },
    { kind: "RSA by cipher suites", options: ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], shows: "RSA" },
  ])("the one of an object's pairs that a client takes: $kind", async ({ options, shows }) => {
    const { text, code } = await sClient("pairs", "-verify_return_error", "-verify_hostname", "localhost", ...options);
    expect(text).toContain("Verification: OK");
    expect(text).toContain(shows === "EC" ? "Peer signature type: ECDSA" : "Peer signature type: RSA-PSS");
    expect(text).toContain(shows === "EC" ? "Server public key is 256 bit" : "Server public key is 2048 bit");
    expect(code).toBe(0);
  });

  it("a chain, whose leaf stands first, as a whole", async () => {
    const { text, code } = await sClient("chain", "-showcerts", "-verify_return_error");
    expect(text.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(text).toContain("Verification: OK");
    expect(code).toBe(0);
  });

  it("no resumption unless the configuration allows tickets", async () => {
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const file = commands.file(`session${version}`);
      const shake = (...options: readonly string[]) =>
        commands.sClientUntilClosed(port, "-servername", "all.test", version, ...options);
      expect((await shake("-sess_out", file)).text).toContain("New, TLSv1.");
      expect((await shake("-sess_in", file)).text).toContain("New, TLSv1.");
    }
  });

  it("a changed certificate for the next handshake, while open connections and their answers go on", async () => {
    const name = "changed.test";
    const asked = { host: "127.0.0.1", port, servername: name, rejectUnauthorized: false };
    const put = async ({ cert, key }: { readonly cert: string; readonly key: string }): Promise<void> => {
      await gateway.admin.put("/ssls/changed", { sni: name, cert, key });
      await gateway.settle();
    };
    await put(ec.server);
    const release = Promise.withResolvers<string>();
    const ending = (async function* () {
      yield "before ";
      yield await release.promise;
    })();
    upstream.replyWith(({ url }) => (url === "/slow" ? { chunks: ending } : { body: `got ${url}` }));
    const first = connectTls(asked);
    await once(first, "secureConnect");
    const second = connectHttp2(`https://${name}:${port}`, { ...asked, host: "127.0.0.1" });
    const streaming = second.request({ ":path": "/slow" });
    await once(streaming, "response");

    await put(other.server);
    const third = connectTls(asked);
    await once(third, "secureConnect");
    expect(third.getPeerX509Certificate()?.toString().trim()).toBe(other.server.cert.trim());
    expect(first.getPeerX509Certificate()?.toString().trim()).toBe(ec.server.cert.trim());
    third.destroy();

    release.resolve("after");
    expect(await textOf(streaming)).toBe("before after");
    expect(await textOf(second.request({ ":path": "/more" }))).toBe("got /more");
    first.write(`GET /old HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    expect(await textOf(first)).toContain("got /old");
    await gateway.admin.delete("/ssls/changed");
    await gateway.settle();
    expect(await textOf(second.request({ ":path": "/without" }))).toBe("got /without");
    second.close();
    expect((await sClient("changed")).text).toContain("unrecognized name");
  });
});
