import { X509Certificate } from "node:crypto";
import { type Certificates, createCertificates, type KeyPair, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type TlsCommands, tlsCommands } from "../support/tls-commands.ts";

/** Certificate objects by id, in the order they are written; each has a certificate of its own. */
const OBJECTS = {
  exact: { snis: ["www.exact.test", "both.test2.com"] },
  spelled: { sni: "SPELLED.Test." },
  wildcard: { sni: "*.test2.com" },
  deeper: { sni: "*.deep.test2.com" },
  fallback: { sni: "fallback.test" },
  off: { sni: "off.test", status: 0 },
  twice: { sni: "twice.test" },
  again: { sni: "twice.test" },
} as const;

type ObjectId = keyof typeof OBJECTS;

/** Rows of the specification: TLS, choosing a certificate. */
describe("which certificate a client is shown", () => {
  const certificates = new Map<string, Certificates>();
  const stack = new AsyncDisposableStack();
  let gateway: Gateway;
  let commands: TlsCommands;
  let port: number;

  beforeAll(async () => {
    const ids = [...Object.keys(OBJECTS), "star", "client"];
    const made = await Promise.all(ids.map((id) => createCertificates({ names: [`${id}.certificate`] })));
    for (const [index, id] of ids.entries()) certificates.set(id, made[index] as Certificates);
    commands = stack.use(await tlsCommands(made[0] as Certificates));
    gateway = stack.use(await startGateway("embedded", { apisix: { ssl: { fallback_sni: "Fallback.test" } } }));
    port = gateway.dataPlane.address("https").port;
    for (const [id, object] of Object.entries(OBJECTS)) await gateway.admin.put(`/ssls/${id}`, withPair(id, object));
    await gateway.admin.put("/ssls/client", { ...pairOf("client"), type: "client" });
    await gateway.settle();
  });
  afterAll(() => stack.disposeAsync());

  const pairOf = (id: string): KeyPair => (certificates.get(id) as Certificates).server;
  const withPair = (id: string, object: object) => ({ ...pairOf(id), ...object });

  /** Whose certificate came, and what openssl said when none did. */
  async function shown(...options: readonly string[]): Promise<string> {
    const { text, code } = await commands.sClient(port, ...options);
    const [pem] = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(text) ?? [];
    if (pem === undefined) {
      expect(code).not.toBe(0);
      expect(text).toContain("no peer certificate available");
      return /unrecognized name/.exec(text)?.[0] ?? text;
    }
    const { fingerprint256 } = new X509Certificate(pem);
    const known = [...certificates].find(
      ([, { server }]) => new X509Certificate(server.cert).fingerprint256 === fingerprint256,
    );
    return known?.[0] ?? "a certificate of nobody's";
  }

  const byName = (name: string): Promise<string> => shown("-servername", name);

  const rows: readonly {
    readonly row: string;
    readonly name: string;
    readonly gets: ObjectId | "unrecognized name";
  }[] = [
    { row: "an exact name", name: "www.exact.test", gets: "exact" },
    { row: "an exact name in capitals", name: "WWW.Exact.TEST", gets: "exact" },
    { row: "an exact name with the root's dot", name: "www.exact.test.", gets: "exact" },
    { row: "a name that the object spells in capitals and with the root's dot", name: "spelled.test", gets: "spelled" },
    { row: "one label for a wildcard", name: "www.test2.com", gets: "wildcard" },
    { row: "an exact name before a wildcard that covers it", name: "both.test2.com", gets: "exact" },
    { row: "the longest wildcard", name: "www.deep.test2.com", gets: "deeper" },
    { row: "one label that is a longer wildcard's own", name: "deep.test2.com", gets: "wildcard" },
    { row: "two labels for a wildcard", name: "aa.bb.test2.com", gets: "unrecognized name" },
    { row: "two labels for the longest wildcard", name: "aa.bb.deep.test2.com", gets: "unrecognized name" },
    { row: "no label for a wildcard", name: "test2.com", gets: "unrecognized name" },
    { row: "a name that only ends like one", name: "exact.test", gets: "unrecognized name" },
    { row: "a name that nobody has", name: "other.test", gets: "unrecognized name" },
    { row: "an object that is switched off", name: "off.test", gets: "unrecognized name" },
    { row: "the first of two objects with one name", name: "twice.test", gets: "twice" },
  ];
  it.each(rows)("$row: $name", async ({ name, gets }) => {
    expect(await byName(name)).toBe(gets);
  });

  it("the fallback's for a client that names no server, or has an address only", async () => {
    expect(await shown("-noservername")).toBe("fallback");
    const { text } = await commands.curl(port, { host: "127.0.0.1", path: "/" }, "--insecure");
    expect(text).toMatch(/\n404 2$/);
  });

  it("that of `*` for names that no other covers, and not for those whose wildcard stands for too much", async () => {
    await gateway.admin.put("/ssls/star", withPair("star", { sni: "*" }));
    await gateway.settle();
    try {
      expect(await byName("other.test")).toBe("star");
      expect(await byName("www.other.test")).toBe("star");
      expect(await byName("www.test2.com")).toBe("wildcard");
      expect(await byName("aa.bb.test2.com")).toBe("unrecognized name");
    } finally {
      await gateway.admin.delete("/ssls/star");
      await gateway.settle();
    }
    expect(await byName("other.test")).toBe("unrecognized name");
  });

  it("the second's of two objects with one name once the first is switched off, changed away or deleted", async () => {
    const change = async (object: object): Promise<string> => {
      await gateway.admin.put("/ssls/twice", withPair("twice", object));
      await gateway.settle();
      return byName("twice.test");
    };
    expect(await change({ sni: "twice.test", status: 0 })).toBe("again");
    expect(await change({ sni: "elsewhere.test" })).toBe("again");
    await gateway.admin.delete("/ssls/twice");
    await gateway.settle();
    expect(await byName("twice.test")).toBe("again");
    // It is the later one now.
    expect(await change({ sni: "twice.test" })).toBe("again");
  });

  it("is no reason to route: the Host field decides", async () => {
    await using upstream = await startEchoUpstream({ reply: { body: "routed" } });
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    await gateway.route({ host: { uri: "/host", host: "routed.test", upstream: { nodes } } });
    const ask = async (...options: string[]) =>
      (await commands.curl(port, { host: "www.exact.test", path: "/host" }, "--insecure", ...options)).text;
    expect(await ask("-H", "Host: routed.test")).toBe("routed\n200 2");
    expect(await ask()).toMatch(/\n404 2$/);
  });
});
