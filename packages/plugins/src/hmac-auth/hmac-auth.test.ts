import { createHmac, hash } from "node:crypto";
import { runGateway } from "@fngate/data-plane/testing";
import { systemClock } from "@fngate/kernel";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { hmacAuthConsumerSchema } from "./consumer-schema.ts";
import { parseHttpDate } from "./http-date.ts";
import { hmacAuth } from "./index.ts";
import { hmacAuthSchema } from "./schema.ts";

describePlugin(hmacAuth, {
  folder: import.meta.dirname,
  config: {},
  consumerConfig: { key_id: "k", secret_key: "secret-of-jack" },
  request: {
    headers: [
      "Date",
      new Date(systemClock.now()).toUTCString(),
      "Authorization",
      'Signature keyId="k",algorithm="hmac-sha256",headers="date",signature="b3RoZXI="',
    ],
  },
});

describeSchema(hmacAuthSchema, {
  defaults: [
    {},
    {
      allowed_algorithms: ["hmac-sha1", "hmac-sha256", "hmac-sha512"],
      clock_skew: 300,
      signed_headers: ["date"],
      validate_request_body: false,
      max_req_body_size: 67_108_864,
      hide_credentials: false,
      realm: "hmac",
    },
  ],
  accepts: [{ clock_skew: 1e12, signed_headers: [], allowed_algorithms: ["hmac-sha512"], other: 1 }],
  refuses: [
    [{ clock_skew: 0 }, "clock_skew"],
    [{ allowed_algorithms: [] }, "allowed_algorithms"],
    [{ allowed_algorithms: ["hmac-md5"] }, "allowed_algorithms.0"],
    [{ signed_headers: [""] }, "signed_headers.0"],
    [{ max_req_body_size: 0 }, "max_req_body_size"],
    [{ realm: '"' }, "realm"],
  ],
});

describe("configuration in consumers", () => {
  it.each([
    [{ key_id: "k" }, "secret_key"],
    [{ secret_key: "s" }, "key_id"],
    [{ key_id: "", secret_key: "s" }, "key_id"],
    [{ key_id: "k", secret_key: "s".repeat(257) }, "secret_key"],
  ])("refuses %j because of %s", (config, path) => {
    expect(hmacAuthConsumerSchema.safeParse(config).error?.issues[0]?.path).toEqual([path]);
  });
});

describe("parseHttpDate", () => {
  it.each([
    ["Sun, 06 Nov 1994 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sunday, 06-Nov-94 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["Sun Nov  6 08:49:37 1994", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["1994-11-06T08:49:37Z", undefined],
    ["Sun, 06 Foo 1994 08:49:37 GMT", undefined],
    ["784111777", undefined],
  ])("reads %j as %s", (text, time) => {
    expect(parseHttpDate(text)).toBe(time);
  });
});

type Headers = Readonly<Record<string, string>>;

/** What a client signs, and how. */
interface Signing {
  readonly lines?: readonly string[];
  readonly names?: string;
  readonly algorithm?: string;
  readonly secret?: string;
  readonly keyId?: string;
  readonly date?: string;
  readonly more?: Headers;
}

const NOW = new Date().toUTCString();

/** The fields of a signed request; the default one is a GET of `/` that covers target and date. */
function signed(signing: Signing = {}): Record<string, string> {
  const { algorithm = "hmac-sha256", date = NOW, keyId = "jacks-id", more = {}, secret = "jacks-secret" } = signing;
  const { lines = ["GET /", `date: ${date}`], names = "@request-target date" } = signing;
  const text = [keyId, ...lines, ""].join("\n");
  const signature = createHmac(algorithm.slice("hmac-".length), secret).update(text).digest("base64");
  const authorization = `Signature keyId="${keyId}",algorithm="${algorithm}",headers="${names}",signature="${signature}"`;
  return { date, authorization, ...more };
}

/** A gateway that knows jack, by a key of his own and by a credential. */
function startWith(config: Readonly<Record<string, unknown>> = {}) {
  return runGateway({
    plugins: [hmacAuth],
    routes: { 1: { uri: "/*", plugins: { "hmac-auth": config } } },
    consumers: {
      jack: {
        plugins: { "hmac-auth": { key_id: "jacks-id", secret_key: "jacks-secret" } },
        credentials: { second: { plugins: { "hmac-auth": { key_id: "second-id", secret_key: "second-secret" } } } },
      },
      guest: {},
    },
  });
}

const REFUSED = '{"message":"client request can\'t be validated"}\n';

describe("hmac-auth", () => {
  it.each([
    { name: "target and date", request: signed() },
    { name: "SHA-1", request: signed({ algorithm: "hmac-sha1" }) },
    { name: "SHA-512", request: signed({ algorithm: "hmac-sha512" }) },
    { name: "a credential", request: signed({ keyId: "second-id", secret: "second-secret" }), credential: "second" },
    {
      name: "fields of the client's own, and one that is not there",
      request: signed({
        lines: [`date: ${NOW}`, "X-Own: a, b", "GET /"],
        names: "date X-Own x-absent @request-target",
        more: { "x-own": "a, b" },
      }),
    },
  ])("tells the upstream who signed: $name", async ({ request, credential }) => {
    await using gateway = await startWith();
    expect((await gateway.get("/", request)).status).toBe(200);
    const { headers } = await gateway.upstream.request();
    expect(headers).toMatchObject({ "x-consumer-username": "jack", authorization: request["authorization"] });
    expect(headers["x-credential-identifier"]).toBe(credential);
  });

  it("takes a signature that was made elsewhere", async () => {
    const clock = Object.assign(Object.create(systemClock), { now: () => Date.UTC(2025, 0, 1, 0, 4, 59) });
    await using gateway = await runGateway({
      plugins: [hmacAuth],
      routes: { 1: { uri: "/*", plugins: { "hmac-auth": {} } } },
      consumers: { jack: { plugins: { "hmac-auth": { key_id: "id", secret_key: "key" } } } },
      options: { clock },
    });
    // printf 'id\nGET /a?b=c\ndate: Wed, 01 Jan 2025 00:00:00 GMT\n' | openssl dgst -sha256 -hmac key -binary | base64
    const signature = "7pgwlDz2V30iv3T9NJFultrzbyD05vdEQhkAxvyrKmg=";
    const authorization = `Signature keyId="id",algorithm="hmac-sha256",headers="@request-target date",signature="${signature}"`;
    const answer = await gateway.get("/a?b=c", { authorization, date: "Wed, 01 Jan 2025 00:00:00 GMT" });
    expect(answer.status).toBe(200);
  });

  it("signs the decoded path and the query as sent", async () => {
    await using gateway = await startWith();
    const lines = ["GET /a b?c=%20d", `date: ${NOW}`];
    expect((await gateway.get("/x/../a%20b?c=%20d", signed({ lines }))).status).toBe(200);
  });

  it.each([
    { name: "no field", request: {}, reason: ": missing Authorization header" },
    {
      name: "another scheme",
      request: { authorization: "Basic abc" },
      reason: ": Authorization header does not start with 'Signature'",
    },
  ])("says what is wrong with $name", async ({ request, reason }) => {
    await using gateway = await startWith({ realm: "mine" });
    const answer = await gateway.get("/", request);
    const body = `{"message":"client request can't be validated${reason}"}\n`;
    expect(answer).toMatchObject({ status: 401, body });
    expect(answer.headers["www-authenticate"]).toBe('hmac realm="mine"');
  });

  const OLD = new Date(Date.now() - 302_000).toUTCString();
  const own = { lines: ["GET /", `date: ${NOW}`, "x-own: 1"], names: "@request-target date x-own" };

  it.each([
    { name: "an empty signature", request: { date: NOW, authorization: "Signature" } },
    { name: "no algorithm", request: { date: NOW, authorization: 'Signature keyId="jacks-id",signature="YQ=="' } },
    { name: "an unknown key", request: signed({ keyId: "nobody" }) },
    { name: "a key of that name only by inheritance", request: signed({ keyId: "constructor" }) },
    { name: "an algorithm that is not allowed", request: signed({ algorithm: "hmac-sha1" }) },
    { name: "an algorithm that nobody knows", request: signed({ algorithm: "hmac-sha384" }) },
    { name: "no date", request: { authorization: signed()["authorization"] ?? "" } },
    { name: "an unreadable date", request: signed({ date: "yesterday" }) },
    { name: "an old date", request: signed({ date: OLD, lines: ["GET /", `date: ${OLD}`] }) },
    { name: "a date that is not signed", request: signed({ lines: ["GET /"], names: "@request-target" }) },
    { name: "a wrong key", request: signed({ secret: "jack-secret" }) },
    { name: "another method", request: signed({ lines: ["POST /", `date: ${NOW}`] }) },
    { name: "another path", request: signed({ lines: ["GET /x", `date: ${NOW}`] }) },
    { name: "a changed field", request: signed({ ...own, more: { "x-own": "2" } }) },
    { name: "a field that was taken away", request: signed(own) },
  ])("refuses $name, and does not say why", async ({ request }) => {
    await using gateway = await startWith({ allowed_algorithms: ["hmac-sha256", "hmac-sha512"] });
    expect(await gateway.get("/", request)).toMatchObject({ status: 401, body: REFUSED });
    expect(gateway.upstream.requests).toEqual([]);
    expect(JSON.stringify(gateway.lines)).not.toContain("jacks-secret");
  });

  it("refuses a signature that a line break in the path would make fit", async () => {
    await using gateway = await startWith();
    const lines = ["GET /a", "x-own: 1", `date: ${NOW}`];
    const request = signed({ lines, names: "@request-target date" });
    expect((await gateway.get("/a%0Ax-own:%201", request)).status).toBe(401);
  });

  it("refuses a signed field that came twice, of which one value would not be covered", async () => {
    await using gateway = await startWith();
    const request = { ...signed({ ...own }), "x-own": ["1", "2"] };
    expect((await gateway.get("/", request)).status).toBe(401);
  });

  describe("with bodies", () => {
    const digestOf = (body: string) => ({ digest: `SHA-256=${hash("sha256", body, "base64")}` });
    const post = (more: Headers) => signed({ lines: ["POST /", `date: ${NOW}`], more });

    it("checks the digest and passes the body on", async () => {
      await using gateway = await startWith({ validate_request_body: true });
      const headers = post(digestOf("the body"));
      expect((await gateway.send("/", { method: "POST", headers, body: "the body" })).status).toBe(200);
      expect(String((await gateway.upstream.request()).body)).toBe("the body");
      expect((await gateway.send("/", { method: "POST", headers: post(digestOf("")) })).status).toBe(200);
    });

    it.each([{ more: digestOf("another") }, { more: {} }])("refuses a body whose digest is $more", async ({ more }) => {
      await using gateway = await startWith({ validate_request_body: true });
      const answer = await gateway.send("/", { method: "POST", headers: post(more), body: "the body" });
      expect(answer).toMatchObject({ status: 401, body: REFUSED });
      expect(gateway.upstream.requests).toEqual([]);
    });

    it("answers 413 to a larger body than it may read", async () => {
      await using gateway = await startWith({ validate_request_body: true, max_req_body_size: 4 });
      const headers = post({ ...digestOf("12345"), "content-length": "5" });
      expect(await gateway.send("/", { method: "POST", headers, body: "12345" })).toMatchObject({
        status: 413,
        body: '{"message":"request size 5 is greater than the maximum size 4 allowed"}\n',
      });
      const chunked = post({ ...digestOf("12345"), "transfer-encoding": "chunked" });
      expect((await gateway.send("/", { method: "POST", headers: chunked, body: "12345" })).status).toBe(413);
    });
  });

  it("hides what it used when told to, from anonymous callers too", async () => {
    await using gateway = await startWith({ hide_credentials: true, anonymous_consumer: "guest" });
    await gateway.get("/", signed());
    await gateway.get("/", signed({ secret: "wrong" }));
    const seen = gateway.upstream.requests.map(({ headers }) => [
      headers["x-consumer-username"],
      headers["authorization"],
    ]);
    expect(seen).toEqual([
      ["jack", undefined],
      ["guest", undefined],
    ]);
  });

  it("refuses when there is no anonymous consumer of that name", async () => {
    await using gateway = await startWith({ anonymous_consumer: "absent" });
    expect(await gateway.get("/")).toMatchObject({ status: 401, body: '{"message":"Invalid user authorization"}\n' });
  });
});
