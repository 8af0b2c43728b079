import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { buffer } from "node:stream/consumers";
import {
  type Certificates,
  createCertificates,
  type EchoUpstream,
  eventually,
  type KeyPair,
  startEchoUpstream,
} from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type TlsCommands, tlsCommands } from "../support/tls-commands.ts";
import { type TlsRequest, tlsRequest } from "../support/tls-request.ts";

/**
 * Node.js looks at a certificate when its client has finished, and then sends no alert any more: the client sees the end
 * of the connection, or a reset (104, 32 when it writes) where its request has come meanwhile.
 */
const CUT = /unexpected eof|(?:read|write):errno=(?:104|32)\b/;

const VARIABLES = ["verify", "s_dn", "i_dn", "serial", "fingerprint", "escaped_cert"] as const;

/** Rows of the specification: TLS, client certificates. */
describe("client certificates", () => {
  const stack = new AsyncDisposableStack();
  let gateway: Gateway;
  let upstream: EchoUpstream;
  let commands: TlsCommands;
  let port: number;
  let a: Certificates;
  let strange: Certificates;
  let one: Certificates;
  let two: Certificates;

  beforeAll(async () => {
    [a, strange, one, two] = await Promise.all([
      createCertificates(),
      createCertificates(),
      createCertificates({ intermediates: 1 }),
      createCertificates({ intermediates: 2 }),
    ]);
    commands = stack.use(await tlsCommands(a));
    upstream = stack.use(await startEchoUpstream());
    gateway = stack.use(
      await startGateway("embedded", {
        apisix: { ssl: { ssl_session_tickets: true, fallback_sni: "mutual.test" } },
        environment: { E2E_CLIENT_CA: a.ca },
      }),
    );
    port = gateway.dataPlane.address("https").port;
    const objects = {
      free: undefined,
      mutual: { ca: a.ca },
      skipping: { ca: a.ca, skip_mtls_uri_regex: ["^/open/", "health$"] },
      "other-skipping": { ca: strange.ca, skip_mtls_uri_regex: ["^/open/"] },
      referring: { ca: "$env://E2E_CLIENT_CA" },
      "one-default": { ca: one.ca },
      "one-none": { ca: one.ca, depth: 0 },
      "two-allowed": { ca: two.ca, depth: 2 },
    };
    for (const [id, client] of Object.entries(objects)) {
      await gateway.admin.put(`/ssls/${id}`, { ...a.server, sni: `${id}.test`, ...(client && { client }) });
    }
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    const set = Object.fromEntries(VARIABLES.map((name) => [`x-${name}`, `$ssl_client_${name}`]));
    await gateway.route({
      all: { uri: "/*", upstream: { nodes } },
      told: { uris: ["/told", "/open/told"], plugins: { "proxy-rewrite": { headers: { set } } }, upstream: { nodes } },
    });
  });
  afterAll(() => stack.disposeAsync());

  const ask = (name: string, path: string, more: Partial<TlsRequest> = {}) =>
    tlsRequest(port, { servername: `${name}.test`, path, ...more });

  const statusOf = async (...args: Parameters<typeof ask>): Promise<number> => (await ask(...args)).status;

  const curl = async (host: string, path: string, ...options: string[]): Promise<string> =>
    (await commands.curl(port, { host, path }, "--insecure", ...options)).text;

  const connectTo = (servername: string, client?: KeyPair): ClientHttp2Session =>
    connect(`https://${servername}:${port}`, { host: "127.0.0.1", servername, rejectUnauthorized: false, ...client });

  const reasons = (): readonly unknown[] => gateway.dataPlane.lines.map((line) => line["reason"]);

  describe("of an object without skip list", () => {
    it("are verified in the handshake", async () => {
      expect(await statusOf("mutual", "/x", a.client)).toBe(200);
      expect(await curl("mutual.test", "/x", "--cert", commands.clientFile)).toMatch(/\n200 2$/);
      const { text } = await commands.sClient(port, "-servername", "mutual.test", "-cert", commands.clientFile);
      expect(text).toContain("Acceptable client certificate CA names\nO = fngate ca");
    });

    it.each([
      { who: "a client without one", name: "mutual", client: () => undefined, alert: /certificate required/ },
      { who: "one of another authority", name: "mutual", client: () => strange.client, alert: CUT },
      { who: "one without its chain", name: "one-default", client: () => leafOf(one.client), alert: CUT },
    ])("fail the handshake of $who", async ({ name, client, alert }) => {
      const pair = client();
      const before = upstream.requests.length;
      expect(await statusOf(name, "/x", pair)).toBe(0);
      const certificate = pair === undefined ? [] : ["-cert", await commands.write(pair.cert + pair.key)];
      for (const version of ["-tls1_2", "-tls1_3"]) {
        const options = ["-servername", `${name}.test`, version, ...certificate];
        const { text, code } = await commands.sClientUntilClosed(port, ...options);
        expect(text).toMatch(version === "-tls1_2" && pair === undefined ? /handshake failure/ : alert);
        expect(code).not.toBe(0);
      }
      expect(upstream.requests).toHaveLength(before);
    });

    it("are asked of clients that name no server, too, when the fallback's object asks", async () => {
      expect(await curl("127.0.0.1", "/x")).toMatch(/\n000 /);
      expect(await curl("127.0.0.1", "/x", "--cert", commands.clientFile)).toMatch(/\n200 2$/);
    });

    it("are checked against an authority from the environment", async () => {
      expect(await statusOf("referring", "/x", a.client)).toBe(200);
      expect(await statusOf("referring", "/x", strange.client)).toBe(0);
    });
  });

  describe("of an object with a skip list", () => {
    it.each([
      { path: "/open/x", shown: "none", status: 200 },
      { path: "/a/healthy", shown: "none", status: 400 },
      { path: "/a/health", shown: "none", status: 200 },
      { path: "/closed", shown: "none", status: 400 },
      { path: "/closed?/open/", shown: "none", status: 400 },
      { path: "/open/%2e%2e/closed", shown: "none", status: 400 },
      { path: "/open/../closed", shown: "none", status: 400 },
      { path: "/%6fpen/x", shown: "none", status: 200 },
      { path: "/closed", shown: "a strange one", status: 400 },
      { path: "/open/x", shown: "a strange one", status: 200 },
      { path: "/closed", shown: "a good one", status: 200 },
    ])("decide with the path: $status for $path, shown $shown", async ({ path, shown, status }) => {
      const client = shown === "none" ? undefined : shown === "a good one" ? a.client : strange.client;
      expect(await statusOf("skipping", path, client)).toBe(status);
    });

    it("are decided on with HTTP/2 likewise, stream by stream", async () => {
      const session = connectTo("skipping.test");
      expect(await statusOn(session, "skipping.test", "/open/x")).toBe(200);
      expect(await statusOn(session, "skipping.test", "/closed")).toBe(400);
      expect(await statusOn(session, "skipping.test", "/open/x")).toBe(200);
      session.close();
    });

    it("are refused with a reason in the log", async () => {
      await ask("skipping", "/closed");
      await ask("skipping", "/closed", strange.client);
      await eventually(() => {
        expect(reasons()).toContain("client certificate was not present");
        expect(reasons()).toContain(
          "client certificate verification is not passed: FAILED:unable to verify the first certificate",
        );
      });
    });
  });

  it.each([
    { name: "one-default", chain: "one certificate in between, as many as the default allows", status: 200 },
    { name: "one-none", chain: "one more than depth 0 allows", status: 0 },
    { name: "two-allowed", chain: "two certificates in between, as many as depth 2 allows", status: 200 },
  ])("whose chain has $chain are answered $status", async ({ name, status }) => {
    const { client } = name.startsWith("one") ? one : two;
    expect(await statusOf(name, "/x", client)).toBe(status);
  });

  describe("verified for one name", () => {
    it.each([
      { sni: "free", asks: "mutual.test", status: 400 },
      { sni: "free", asks: "MUTUAL.test:443", status: 400 },
      { sni: "free", asks: "skipping.test", status: 400 },
      { sni: "skipping", asks: "mutual.test", status: 400 },
      { sni: "mutual", asks: "mutual.test", status: 200 },
      { sni: "mutual", asks: "Mutual.test.", status: 200 },
      { sni: "mutual", asks: "free.test", status: 200 },
      { sni: "free", asks: "nobody.test", status: 200 },
    ])("$sni.test, count for requests to $asks: $status", async ({ sni, asks, status }) => {
      expect(await statusOf(sni, "/open/x", { ...a.client, host: asks })).toBe(status);
    });

    it("do not count for another authority on the same HTTP/2 connection, which lives on", async () => {
      const session = connectTo("mutual.test", a.client);
      expect(await statusOn(session, "mutual.test")).toBe(200);
      expect(await statusOn(session, "skipping.test")).toBe(400);
      expect(await statusOn(session, "free.test")).toBe(200);
      expect(await statusOn(session, `mutual.test:${port}`)).toBe(200);
      session.close();
      const page = await curl("free.test", "/x", "-H", "Host: mutual.test");
      expect(page).toMatch(/^\{"error_msg":"400 [^"]+"\}\n\n400 2$/);
    });

    it("are asked for again by every connection: no session is resumed, of this name or another", async () => {
      for (const version of ["-tls1_2", "-tls1_3"]) {
        const files = { free: commands.file(`free${version}`), skipping: commands.file(`skipping${version}`) };
        const shake = async (name: string, ...options: readonly string[]) =>
          (await commands.sClientUntilClosed(port, "-servername", `${name}.test`, version, ...options)).text;
        await shake("free", "-sess_out", files.free);
        expect(await shake("free", "-sess_in", files.free)).toContain("Reused, TLSv1.");
        expect(await shake("skipping", "-sess_in", files.free)).toContain("New, TLSv1.");
        await shake("skipping", "-sess_out", files.skipping, "-cert", commands.clientFile);
        expect(await shake("skipping", "-sess_in", files.skipping)).toContain("New, TLSv1.");
      }
    });
  });

  describe("in variables", () => {
    /** What the upstream got in the fields that the route fills from variables. */
    async function told(path: string, client?: KeyPair): Promise<Readonly<Record<string, unknown>>> {
      const { headers } = JSON.parse((await ask("skipping", path, client)).text);
      return Object.fromEntries(VARIABLES.map((name) => [name, headers[`x-${name}`]]));
    }

    it("are described after success", async () => {
      const certificate = new X509Certificate(a.client.cert);
      const { escaped_cert: escaped, ...others } = await told("/told", a.client);
      expect(decodeURIComponent(String(escaped))).toBe(a.client.cert);
      expect(String(escaped)).toMatch(/^-----BEGIN%20CERTIFICATE-----%0A[A-Za-z0-9%]+-----END%20CERTIFICATE-----%0A$/);
      expect(others).toEqual({
        verify: "SUCCESS",
        s_dn: "O=fngate client",
        i_dn: "O=fngate ca",
        serial: certificate.serialNumber,
        fingerprint: certificate.fingerprint.replaceAll(":", "").toLowerCase(),
      });
    });

    it("are absent without a certificate, and say why one did not pass", async () => {
      expect(await told("/open/told")).toMatchObject({ verify: "NONE" });
      expect(await told("/open/told", strange.client)).toMatchObject({
        verify: "FAILED:unable to verify the first certificate",
        s_dn: "O=fngate client",
      });
    });

    it("and nowhere else: nothing of them is sent to the upstream", async () => {
      const { text } = await ask("mutual", "/x", a.client);
      expect(text).not.toContain("fngate client");
      expect(text.toLowerCase()).not.toMatch(/cert|x-verify|ssl/);
    });
  });
});

async function statusOn(session: ClientHttp2Session, authority: string, path = "/open/x"): Promise<unknown> {
  const stream = session.request({ ":path": path, ":authority": authority });
  const [head] = await once(stream, "response");
  await buffer(stream);
  return head[":status"];
}

/** Without the certificates that came with it. */
function leafOf({ cert, key }: KeyPair): KeyPair {
  return { cert: `${cert.split("-----END CERTIFICATE-----")[0]}-----END CERTIFICATE-----\n`, key };
}
