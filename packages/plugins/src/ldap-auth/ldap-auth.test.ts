import { once } from "node:events";
import type { Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type RunningGateway, runGateway } from "@fngate/data-plane/testing";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { createCertificates, eventually, FakeClock } from "@fngate/test-kit";
import { Client } from "ldapts";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { type DirectoryServer, startDirectory } from "../testing/directory-server.ts";
import { ldapAuthConsumerSchema } from "./consumer-schema.ts";
import { DirectoryConnections } from "./directory-connections.ts";
import { ldapAuth } from "./index.ts";
import { ldapAuthSchema } from "./schema.ts";

const BASE = "ou=users,dc=example,dc=org";
const minimal = { base_dn: BASE, ldap_uri: "127.0.0.1:1389" };

describePlugin(ldapAuth, { folder: import.meta.dirname, config: minimal });

describeSchema(ldapAuthSchema, {
  defaults: [
    minimal,
    { ...minimal, use_tls: false, tls_verify: false, uid: "cn", hide_credentials: false, realm: "ldap" },
  ],
  accepts: [{ ...minimal, use_tls: true, tls_verify: true, uid: "uid", realm: "mine", other: 1 }],
  refuses: [
    [{ base_dn: BASE }, "ldap_uri"],
    [{ ldap_uri: "a" }, "base_dn"],
    [{ ...minimal, base_dn: 123 }, "base_dn"],
    [{ ...minimal, realm: '"' }, "realm"],
    [{ ...minimal, use_tls: 1 }, "use_tls"],
  ],
});

describe("configuration in consumers", () => {
  it("needs the name of an entry", () => {
    expect(ldapAuthConsumerSchema.safeParse({}).error?.issues[0]?.path).toEqual(["user_dn"]);
  });
});

const PASSWORDS = {
  [`cn=jack,${BASE}`]: "password1:with colon",
  [`cn=a\\,b,${BASE}`]: "password2",
  [`cn=stranger,${BASE}`]: "password3",
};

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });

function gatewayFor(server: DirectoryServer | undefined, config: object = {}, options = {}): Promise<RunningGateway> {
  const whole = { base_dn: BASE, ldap_uri: `127.0.0.1:${server?.port ?? 1}`, ...config };
  return runGateway({
    plugins: [ldapAuth],
    options,
    routes: { 1: { uri: "/*", plugins: { "ldap-auth": whole } } },
    consumers: {
      jack: { plugins: { "ldap-auth": { user_dn: `cn=jack,${BASE}` } } },
      comma: { plugins: { "ldap-auth": { user_dn: `cn=a\\,b,${BASE}` } } },
    },
  });
}

describe("ldap-auth", () => {
  it.each([
    { name: "the name of an entry", text: "jack:password1:with colon", consumer: "jack" },
    { name: "a line feed behind the password", text: "jack:password1:with colon\n", consumer: "jack" },
    { name: "a name that has to be escaped", text: "a,b:password2", consumer: "comma" },
  ])("tells the upstream who calls by $name", async ({ consumer, text }) => {
    await using server = await startDirectory(PASSWORDS);
    await using gateway = await gatewayFor(server);
    expect((await gateway.get("/", basic(text))).status).toBe(200);
    const { headers } = await gateway.upstream.request();
    expect(headers).toMatchObject({ ...basic(text), "x-consumer-username": consumer });
  });

  it.each([
    { name: "no field", headers: {}, message: "Missing authorization in request" },
    { name: "another scheme", headers: { authorization: "Bearer a" }, message: "Invalid authorization in request" },
    { name: "no base64", headers: { authorization: "Basic aca_a" }, message: "Invalid authorization in request" },
    { name: "no password", headers: basic("jack"), message: "Invalid authorization in request" },
    { name: "an empty password", headers: basic("jack:"), message: "Invalid authorization in request" },
    { name: "a password of a line feed", headers: basic("jack:\n"), message: "Invalid authorization in request" },
    { name: "a name with controls", headers: basic("jack\0:password1"), message: "Invalid authorization in request" },
    { name: "a wrong password", headers: basic("jack:password2"), message: "Invalid user authorization" },
    { name: "an unknown name", headers: basic("rose:password1"), message: "Invalid user authorization" },
    {
      name: "somebody who is no consumer",
      headers: basic("stranger:password3"),
      message: "Invalid user authorization",
    },
    {
      name: "a name that would be another entry's",
      headers: basic(`jack,${BASE}+x=y:password1:with colon`),
      message: "Invalid user authorization",
    },
  ])("refuses $name", async ({ headers, message }) => {
    await using server = await startDirectory(PASSWORDS);
    await using gateway = await gatewayFor(server, { realm: "mine" });
    const answer = await gateway.get("/", headers);
    expect(answer).toMatchObject({ status: 401, body: `{"message":"${message}"}\n` });
    expect(answer.headers["www-authenticate"]).toBe('Basic realm="mine"');
    expect(gateway.upstream.requests).toEqual([]);
    expect(JSON.stringify(gateway.lines)).not.toMatch(/password[123]/);
  });

  it("asks the server about passwords every time", async () => {
    await using server = await startDirectory(PASSWORDS);
    await using gateway = await gatewayFor(server);
    for (const _ of [1, 2]) await gateway.get("/", basic("jack:password1:with colon"));
    expect(server.binds).toEqual([`cn=jack,${BASE}`, `cn=jack,${BASE}`]);
  });

  it("hides the password when told to", async () => {
    await using server = await startDirectory(PASSWORDS);
    await using gateway = await gatewayFor(server, { hide_credentials: true });
    await gateway.get("/", basic("jack:password1:with colon"));
    expect((await gateway.upstream.request()).headers).not.toHaveProperty("authorization");
  });

  it("says when nobody has the plugin", async () => {
    await using server = await startDirectory(PASSWORDS);
    const whole = { base_dn: BASE, ldap_uri: `ldap://127.0.0.1:${server.port}` };
    const routes = { 1: { uri: "/*", plugins: { "ldap-auth": whole } } };
    await using gateway = await runGateway({ plugins: [ldapAuth], routes });
    expect(await gateway.get("/", basic("jack:password1:with colon"))).toMatchObject({
      status: 401,
      body: '{"message":"Missing related consumer"}\n',
    });
  });

  it.each(["127.0.0.1:1", "no host at all"])("refuses everybody while %s cannot be asked", async (uri) => {
    await using gateway = await gatewayFor(undefined, { ldap_uri: uri });
    expect((await gateway.get("/", basic("jack:password1:with colon"))).status).toBe(401);
  });

  it("reaches a server by TLS, and verifies its certificate when told to", async () => {
    await using server = await startDirectory(PASSWORDS, (await createCertificates()).server);
    await using gateway = await gatewayFor(server, { use_tls: true });
    expect((await gateway.get("/", basic("jack:password1:with colon"))).status).toBe(200);
    await using strict = await gatewayFor(server, { use_tls: true, tls_verify: true });
    expect((await strict.get("/", basic("jack:password1:with colon"))).status).toBe(401);
  });

  it("lets in by a certificate of an authority that the gateway is told to trust", async () => {
    const certificates = await createCertificates();
    await using server = await startDirectory(PASSWORDS, certificates.server);
    await using gateway = await gatewayFor(
      server,
      { use_tls: true, tls_verify: true },
      { caCertificates: [certificates.ca] },
    );
    expect((await gateway.get("/", basic("jack:password1:with colon"))).status).toBe(200);
  });

  it("lets in by a certificate of an authority that the machine trusts, time and again", async () => {
    const certificates = await createCertificates();
    const before = getCACertificates("default");
    setDefaultCACertificates([...before, certificates.ca]);
    try {
      await using server = await startDirectory(PASSWORDS, certificates.server);
      await using gateway = await gatewayFor(server, { use_tls: true, tls_verify: true });
      for (const _ of [1, 2]) expect((await gateway.get("/", basic("jack:password1:with colon"))).status).toBe(200);
    } finally {
      setDefaultCACertificates(before);
    }
  });
});

describe("connections to the server", () => {
  const jack = basic("jack:password1:with colon");

  it("are kept for whoever comes next, who is bound anew", async () => {
    await using server = await startDirectory(PASSWORDS);
    await using gateway = await gatewayFor(server);
    const statuses = [];
    for (const headers of [jack, basic("jack:wrong"), basic("a,b:password2"), basic("jack:wrong"), jack]) {
      statuses.push((await gateway.get("/", headers)).status);
    }
    expect(statuses).toEqual([200, 401, 200, 401, 200]);
    expect(server.binds).toHaveLength(5);
    expect(server.connections.size).toBe(1);
  });

  it("are shared by configurations that reach the server alike", async () => {
    await using server = await startDirectory(PASSWORDS);
    const whole = { base_dn: BASE, ldap_uri: `127.0.0.1:${server.port}` };
    await using gateway = await runGateway({
      plugins: [ldapAuth],
      routes: {
        1: { uri: "/a", plugins: { "ldap-auth": whole } },
        2: { uri: "/b", plugins: { "ldap-auth": { ...whole, realm: "other" } } },
      },
      consumers: { jack: { plugins: { "ldap-auth": { user_dn: `cn=jack,${BASE}` } } } },
    });
    for (const path of ["/a", "/b"]) expect((await gateway.get(path, jack)).status).toBe(200);
    expect(server.connections.size).toBe(1);
  });

  it("are made anew when the server has ended them", async () => {
    await using server = await startDirectory(PASSWORDS);
    await using gateway = await gatewayFor(server);
    expect((await gateway.get("/", jack)).status).toBe(200);
    const [connection] = server.connections;
    const closed = once(connection as Socket, "close");
    connection?.end();
    await closed;
    expect((await gateway.get("/", jack)).status).toBe(200);
    expect(server.connections.size).toBe(2);
  });

  it("carry no bind a second time when they break before its answer", async () => {
    await using server = await startDirectory(PASSWORDS);
    await using gateway = await gatewayFor(server);
    expect((await gateway.get("/", jack)).status).toBe(200);
    server.beforeAnswer = (connection) => connection.destroy();
    expect((await gateway.get("/", jack)).status).toBe(401);
    expect(server.binds).toHaveLength(2);
  });

  it("end with the last configuration that needs them", async () => {
    await using server = await startDirectory(PASSWORDS);
    const gateway = await gatewayFor(server);
    expect((await gateway.get("/", jack)).status).toBe(200);
    expect(server.openConnections).toBe(1);
    await gateway[Symbol.asyncDispose]();
    await eventually(() => expect(server.openConnections).toBe(0));
  });
});

describe("DirectoryConnections", () => {
  const name = `cn=jack,${BASE}`;
  const password = "password1:with colon";

  function connectionsTo(server: DirectoryServer, clock = new FakeClock()) {
    const open = () => new Client({ url: `ldap://127.0.0.1:${server.port}` });
    const connections = new DirectoryConnections(open, clock);
    return Object.assign(connections, { [Symbol.dispose]: () => connections.close() });
  }

  it("have one bind under way each, and few stay open afterwards", async () => {
    await using server = await startDirectory(PASSWORDS);
    using connections = connectionsTo(server);
    const gate = Promise.withResolvers<void>();
    server.beforeAnswer = () => gate.promise;
    const binds = Array.from({ length: 7 }, () => connections.bind(name, password));
    await eventually(() => expect(server.connections.size).toBe(7));
    gate.resolve();
    await Promise.all(binds);
    await eventually(() => expect(server.openConnections).toBe(5));
    await connections.bind(name, password);
    expect(server.connections.size).toBe(7);
  });

  it("are ended when nobody binds over them for a minute", async () => {
    await using server = await startDirectory(PASSWORDS);
    const clock = new FakeClock();
    using connections = connectionsTo(server, clock);
    await connections.bind(name, password);
    await clock.advance(20_000);
    await connections.bind(name, password);
    await clock.advance(10_000);
    expect(server.openConnections).toBe(1);
    await clock.advance(30_000);
    await eventually(() => expect(server.openConnections).toBe(0));
    expect(clock.sleeping).toBe(0);
    await connections.bind(name, password);
    expect(server.connections.size).toBe(2);
  });

  it("are not kept when a bind ends after they were closed", async () => {
    await using server = await startDirectory(PASSWORDS);
    using connections = connectionsTo(server);
    server.beforeAnswer = () => connections.close();
    await connections.bind(name, password);
    await eventually(() => expect(server.openConnections).toBe(0));
  });
});
