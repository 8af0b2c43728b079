import { X509Certificate } from "node:crypto";
import {
  type Certificates,
  createCertificates,
  type EchoUpstream,
  eventually,
  type KeyPair,
  startEchoUpstream,
  startVault,
  type VaultServer,
} from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type TlsCommands, tlsCommands } from "../support/tls-commands.ts";
import { openTlsConnection, tlsRequest } from "../support/tls-request.ts";

const TOKEN = "s.e2e";

/** Rows of the specification: `ssls` objects; and of upstream: failure answers, client certificates. */
describe("certificate objects", () => {
  const stack = new AsyncDisposableStack();
  let gateway: Gateway;
  let vault: VaultServer;
  let upstream: EchoUpstream;
  let commands: TlsCommands;
  let port: number;
  let ec: Certificates;
  let rsa: Certificates;
  let expired: Certificates;

  beforeAll(async () => {
    [ec, rsa, expired] = await Promise.all([
      createCertificates(),
      createCertificates({ keyType: "rsa" }),
      createCertificates({ isServerExpired: true }),
    ]);
    commands = stack.use(await tlsCommands({ ...ec, ca: ec.ca + rsa.ca + expired.ca }));
    vault = stack.use(await startVault(TOKEN));
    upstream = stack.use(await startEchoUpstream({ tls: { ...ec.server, ca: ec.ca }, reply: { body: "ok" } }));
    const environment = {
      E2E_CERT: ec.server.cert,
      E2E_KEY: ec.server.key,
      E2E_PAIRS: JSON.stringify({ rsa: rsa.server }),
      E2E_CA: ec.ca,
    };
    const apisix = { lru: { secret: { ttl: 0.3, neg_ttl: 0.3 } } };
    gateway = stack.use(await startGateway("split", { apisix, environment }));
    port = gateway.dataPlane.address("https").port;
    await gateway.admin.put("/secrets/vault/1", { uri: vault.uri, prefix: "kv", token: TOKEN });
    await gateway.route({ all: { uri: "/*", plugins: { mocking: { response_example: "served" } } } });
  });
  afterAll(() => stack.disposeAsync());

  const text = async (name: string, ...options: readonly string[]): Promise<string> =>
    (await commands.sClient(port, "-servername", `${name}.test`, ...options)).text;

  const put = async (id: string, object: object): Promise<void> => {
    await gateway.admin.put(`/ssls/${id}`, { sni: `${id}.test`, ...object });
    await gateway.settle();
  };

  /** What the store holds under a key below the prefix. */
  async function stored(key: string): Promise<Readonly<Record<string, unknown>>> {
    const { kvs } = Object(
      await gateway.etcd?.call("kv/range", { key: Buffer.from(`/apisix/${key}`).toString("base64") }),
    );
    return JSON.parse(Buffer.from(kvs[0].value, "base64").toString());
  }

  describe("that the Admin API refuses", () => {
    const garbage = `-----BEGIN CERTIFICATE-----\n${"A".repeat(200)}\n-----END CERTIFICATE-----\n`;
    const rows: readonly { readonly why: string; readonly object: () => object; readonly says: string | RegExp }[] = [
      { why: "no name", object: () => ({ ...ec.server }), says: /^invalid configuration: / },
      {
        why: "two kinds of names",
        object: () => ({ ...ec.server, sni: "a.test", snis: ["b.test"] }),
        says: /^invalid/,
      },
      { why: "a name that is a pattern", object: () => ({ ...ec.server, sni: "a.*.test" }), says: /"sni" validation/ },
      { why: "no key", object: () => ({ sni: "a.test", cert: ec.server.cert }), says: /^invalid configuration: / },
      {
        why: "a short certificate",
        object: () => ({ sni: "a.test", ...ec.server, cert: "short" }),
        says: /"cert" validation/,
      },
      {
        why: "a broken certificate",
        object: () => ({ sni: "a.test", ...ec.server, cert: garbage }),
        says: /^failed to parse cert: /,
      },
      {
        why: "a broken key",
        object: () => ({ sni: "a.test", ...ec.server, key: garbage.replaceAll("CERTIFICATE", "PRIVATE KEY") }),
        says: /^failed to parse key: /,
      },
      {
        why: "more certificates than keys",
        object: () => ({ sni: "a.test", ...ec.server, certs: [rsa.server.cert] }),
        says: "mismatched number of certs and keys",
      },
      {
        why: "a broken pair among several",
        object: () => ({ sni: "a.test", ...ec.server, certs: [garbage], keys: [rsa.server.key] }),
        says: /^failed to handle cert-key pair\[1\]: failed to parse cert: /,
      },
      {
        why: "a broken authority",
        object: () => ({ sni: "a.test", ...ec.server, client: { ca: garbage } }),
        says: /^failed to validate client_cert: failed to parse cert: /,
      },
      {
        why: "a negative depth",
        object: () => ({ sni: "a.test", ...ec.server, client: { ca: ec.ca, depth: -1 } }),
        says: /"depth" validation failed/,
      },
      {
        why: "no path to skip",
        object: () => ({ sni: "a.test", ...ec.server, client: { ca: ec.ca, skip_mtls_uri_regex: [] } }),
        says: /"skip_mtls_uri_regex" validation failed/,
      },
      {
        why: "the same path twice",
        object: () => ({ sni: "a.test", ...ec.server, client: { ca: ec.ca, skip_mtls_uri_regex: ["a", "a"] } }),
        says: /"skip_mtls_uri_regex" validation failed/,
      },
      {
        why: "a version nobody should speak",
        object: () => ({ sni: "a.test", ...ec.server, ssl_protocols: ["TLSv1"] }),
        says: /"ssl_protocols" validation failed/,
      },
      { why: "a field there is not", object: () => ({ sni: "a.test", ...ec.server, some: 1 }), says: /some/ },
      {
        why: "a type there is not",
        object: () => ({ sni: "a.test", ...ec.server, type: "peer" }),
        says: /"type" validation/,
      },
    ];
    it.each(rows)("have $why", async ({ object, says }) => {
      const { body, status } = await gateway.admin.send("PUT", "/ssls/refused", object());
      expect(status).toBe(400);
      expect(Object(body).error_msg).toMatch(says);
    });
  });

  it("whose key belongs to another certificate are taken, and no client gets through with them", async () => {
    await put("mixed", { cert: ec.server.cert, key: rsa.server.key });
    expect(await text("mixed")).toContain("no peer certificate available");
  });

  it("whose certificate has ended are served, as in APISIX, and told of", async () => {
    await put("expired", expired.server);
    expect(await text("expired")).toContain("certificate has expired");
    expect(await tlsRequest(port, { servername: "expired.test" })).toEqual({ status: 200, text: "served" });
    const line = { level: "warn", kind: "ssl", id: "expired", code: "EXPIRED_CERTIFICATE", path: "cert" };
    await eventually(() => expect(gateway.dataPlane.lines).toContainEqual(expect.objectContaining(line)));
  });

  it("that become unusable leave the version before in service", async () => {
    await put("kept", ec.server);
    const value = await stored("ssls/kept");
    for (const broken of [
      "no JSON",
      JSON.stringify({ ...value, cert: "none" }),
      JSON.stringify({ ...value, key: "none" }),
    ]) {
      await gateway.writeRaw("ssls/kept", broken);
      await gateway.settle();
      expect(await text("kept", "-verify_return_error")).toContain("Verification: OK");
    }
    await put("kept", rsa.server);
    expect(await text("kept")).toContain("Server public key is 2048 bit");
  });

  it("have their private keys encrypted in the store, and show them to nobody", async () => {
    await put("hidden", { ...ec.server, certs: [rsa.server.cert], keys: [rsa.server.key] });
    const value = await stored("ssls/hidden");
    expect(value["cert"]).toBe(ec.server.cert);
    for (const key of [value["key"], ...(value["keys"] as readonly unknown[])])
      expect(key).toMatch(/^[A-Za-z0-9+/]+=*$/);
    for (const path of ["/ssls/hidden", "/ssls"]) {
      const answer = await gateway.admin.send("GET", path);
      expect(answer.text).toContain("BEGIN CERTIFICATE");
      expect(answer.text).not.toContain("PRIVATE KEY");
    }
    expect(await text("hidden", "-verify_return_error")).toContain("Verification: OK");
  });

  it("may refer to the environment: certificates, keys, more of both, and the authority of clients", async () => {
    await put("referring", {
      ...{ cert: "$env://E2E_CERT", key: "$env://E2E_KEY" },
      ...{ certs: ["$env://E2E_PAIRS/rsa/cert"], keys: ["$ENV://E2E_PAIRS/rsa/key"] },
      client: { ca: "$env://E2E_CA" },
    });
    const options = ["-verify_return_error", "-tls1_2", "-cert", commands.clientFile, "-cipher"];
    expect(await text("referring", ...options, "ECDHE-ECDSA-AES128-GCM-SHA256")).toContain("Verification: OK");
    expect(await text("referring", ...options, "ECDHE-RSA-AES128-GCM-SHA256")).toContain("Verification: OK");
    const asked = { servername: "referring.test", path: "/" };
    expect(await tlsRequest(port, { ...asked, ...ec.client })).toEqual({ status: 200, text: "served" });
    expect((await tlsRequest(port, asked)).status).toBe(0);
  });

  it("may refer to a secret manager, whose answer is what the next handshakes use", async () => {
    vault.entries.set("kv/tls", { ...ec.server, ca: ec.ca });
    const reference = (name: string): string => `$secret://vault/1/tls/${name}`;
    const object = { cert: reference("cert"), key: reference("key"), client: { ca: reference("ca") } };
    await gateway.admin.put("/ssls/secret", { sni: "secret.test", ...object });
    expect((await stored("ssls/secret"))["key"]).toBe(reference("key"));
    const asked = { servername: "secret.test", path: "/" };
    await eventually(async () => {
      expect(await tlsRequest(port, { ...asked, ...ec.client })).toEqual({ status: 200, text: "served" });
    });
    expect((await tlsRequest(port, asked)).status).toBe(0);
    const pem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(await text("secret"))?.[0] ?? "";
    expect(new X509Certificate(pem).fingerprint256).toBe(new X509Certificate(ec.server.cert).fingerprint256);
  });

  it("of a secret manager are shown in place of the ones before once they are rotated, and no connection breaks", async () => {
    const keyOf = async (): Promise<string> =>
      /Server public key is \d+ bit/.exec(await text("rotating"))?.[0] ?? "none";
    const reference = (path: string) => ({
      cert: `$secret://vault/1/${path}/cert`,
      key: `$secret://vault/1/${path}/key`,
    });
    vault.entries.set("kv/turning", { ...ec.server });
    vault.entries.set("kv/other", { ...ec.server });
    await put("rotating", reference("turning"));
    await eventually(async () => expect(await keyOf()).toBe("Server public key is 256 bit"));
    await using held = await openTlsConnection(port, "rotating.test");
    expect(await held.ask()).toBe(200);
    const traffic = startNewConnections("rotating.test");
    vault.entries.set("kv/turning", { ...rsa.server });
    await eventually(async () => expect(await keyOf()).toBe("Server public key is 2048 bit"), { deadlineMs: 20_000 });
    // A manager that is away, or has nothing any more, changes nothing.
    vault.entries.delete("kv/turning");
    const asked = vault.requests.length;
    await eventually(() => expect(vault.requests.length).toBeGreaterThan(asked + 4), { deadlineMs: 20_000 });
    expect(await keyOf()).toBe("Server public key is 2048 bit");
    await put("rotating", reference("other"));
    await eventually(async () => expect(await keyOf()).toBe("Server public key is 256 bit"));
    expect(new Set(await traffic.stop())).toEqual(new Set([200]));
    expect(await held.ask()).toBe(200);
    expect(held.fingerprint).toBe(new X509Certificate(ec.server.cert).fingerprint256);
    const secrets = [ec, rsa].map(({ server }) => server.key.split("\n")[1] ?? "");
    for (const secret of secrets) expect(gateway.dataPlane.transcript).not.toContain(secret);
  });

  /** Asks on one new connection after the other until it is stopped; resolves to all statuses. */
  function startNewConnections(servername: string): { stop(): Promise<number[]> } {
    const statuses: number[] = [];
    let isOver = false;
    const running = (async () => {
      while (!isOver) statuses.push((await tlsRequest(port, { servername })).status);
    })();
    return {
      async stop() {
        isOver = true;
        await running;
        return statuses;
      },
    };
  }

  describe("of an upstream's client", () => {
    /** Status and upstream's status of a route that calls the upstream with these `tls` members. */
    async function called(id: string, tls: object): Promise<readonly unknown[]> {
      const upstreamOf = { scheme: "https", type: "roundrobin", nodes: { [`127.0.0.1:${upstream.port}`]: 1 }, tls };
      await gateway.writeRaw(`routes/${id}`, JSON.stringify({ id, uri: `/${id}`, upstream: upstreamOf }));
      await gateway.settle();
      const { headers, status } = await fetch(`${gateway.origin}/${id}`);
      return [status, headers.get("x-apisix-upstream-status")];
    }

    const inline = ({ cert, key }: KeyPair) => ({ client_cert: cert, client_key: key });

    it("are 503 when they cannot be read, and nobody is called", async () => {
      const before = upstream.connections;
      const unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".repeat(4);
      expect(await called("bad-cert", inline({ ...ec.client, cert: unreadable }))).toEqual([503, null]);
      expect(await called("bad-key", inline({ ...ec.client, key: unreadable }))).toEqual([503, null]);
      await gateway.writeRaw(
        "ssls/broken",
        JSON.stringify({ id: "broken", type: "client", ...ec.client, cert: unreadable }),
      );
      expect(await called("bad-object", { client_cert_id: "broken" })).toEqual([503, null]);
      expect(upstream.connections).toBe(before);
    });
  });
});
