import { fakeHttp } from "@fngate/plugin-kit/testing";
import { FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { SecretBook, type SecretCacheOptions } from "./secret-book.ts";

const VAULT = { uri: "http://127.0.0.1:8200/", prefix: "kv/apisix", token: "$env://TOKEN", namespace: "team" };
const REFERENCE = "$secret://vault/1/jack/key";

/** A book over a Vault that is a map, with the owners it told of news. */
function open(answers: Record<string, unknown>, cache?: SecretCacheOptions) {
  const clock = new FakeClock();
  const http = fakeHttp(({ url }) => {
    const data = answers[new URL(url).pathname];
    if (data === undefined) throw new Error("away");
    return { body: new TextEncoder().encode(JSON.stringify({ data })) };
  });
  const news: string[][] = [];
  const alive = new Set(["route/1"]);
  const book = new SecretBook({
    cache,
    prefix: "/apisix",
    http,
    clock,
    resolveText: (text) => (text === "$env://TOKEN" ? "t" : text),
    onNews: (owners) => news.push([...owners]),
    isAlive: (owner) => alive.has(owner),
  });
  const manage = (value: unknown, name = "vault/1") => {
    const entry = {
      key: `/apisix/secrets/${name}`,
      value: JSON.stringify(value),
      createRevision: "1",
      modRevision: "1",
    };
    book.observe([{ key: entry.key, entry: value === undefined ? undefined : (entry as never) }]);
  };
  return { alive, book, clock, http, manage, news, lookup: () => book.lookup(REFERENCE, "route/1") };
}

describe("secrets of Vault", () => {
  it("are asked for once, with the token and namespace of their manager, and told of when they are there", async () => {
    const { book, clock, http, lookup, manage, news } = open({ "/v1/kv/apisix/jack": { key: "k1" } });
    manage(VAULT);
    expect([lookup(), lookup()]).toEqual(["awaited", "awaited"]);
    await clock.advance(0);
    expect(lookup()).toEqual({ ok: true, value: "k1" });
    expect(news).toEqual([["route/1"]]);
    expect(http.calls).toMatchObject([
      { url: "http://127.0.0.1:8200/v1/kv/apisix/jack", headers: ["x-vault-token", "t", "x-vault-namespace", "team"] },
    ]);
    book.stop();
  });

  it("are read again after five minutes, and hold on while Vault is away", async () => {
    const answers: Record<string, unknown> = { "/v1/kv/apisix/jack": { key: "k1" } };
    const { book, clock, http, lookup, manage, news } = open(answers);
    manage(VAULT);
    lookup();
    await clock.advance(0);
    answers["/v1/kv/apisix/jack"] = { key: "k2" };
    await clock.advance(299_999);
    expect(lookup()).toEqual({ ok: true, value: "k1" });
    await clock.advance(1);
    expect(lookup()).toEqual({ ok: true, value: "k2" });
    expect(news).toHaveLength(2);
    delete answers["/v1/kv/apisix/jack"];
    await clock.advance(300_000);
    expect(http.calls).toHaveLength(3);
    expect(lookup()).toEqual({ ok: true, value: "k2" });
    expect(news).toHaveLength(2);
    book.stop();
  });

  it("that cannot be had are tried again after a minute", async () => {
    const answers: Record<string, unknown> = {};
    const { book, clock, lookup, manage } = open(answers);
    manage(VAULT);
    lookup();
    await clock.advance(0);
    expect(lookup()).toEqual({ ok: false, reason: "vault cannot be reached" });
    answers["/v1/kv/apisix/jack"] = { other: "x" };
    await clock.advance(60_000);
    expect(lookup()).toEqual({ ok: false, reason: "vault has no such member" });
    answers["/v1/kv/apisix/jack"] = { key: 7 };
    await clock.advance(60_000);
    expect(lookup()).toEqual({ ok: true, value: "7" });
    book.stop();
  });

  it("follow the settings of their manager at once", async () => {
    const { book, clock, lookup, manage } = open({ "/v1/a/jack": { key: "a" }, "/v1/b/jack": { key: "b" } });
    lookup();
    await clock.advance(0);
    expect(lookup()).toEqual({ ok: false, reason: "there is no secret manager vault/1" });
    for (const prefix of ["a", "b"]) {
      manage({ ...VAULT, prefix });
      await clock.advance(0);
      expect(lookup()).toEqual({ ok: true, value: prefix });
    }
    manage(undefined);
    await clock.advance(0);
    expect(lookup()).toMatchObject({ ok: false });
    book.stop();
  });

  it("are forgotten when nobody needs them any more", async () => {
    const { alive, book, clock, http, lookup, manage } = open({ "/v1/kv/apisix/jack": { key: "k1" } });
    manage(VAULT);
    lookup();
    await clock.advance(0);
    alive.clear();
    await clock.advance(300_000);
    expect(http.calls).toHaveLength(1);
    expect(lookup()).toBe("awaited");
    book.stop();
  });

  it("hold as long as the settings say", async () => {
    const answers: Record<string, unknown> = { "/v1/kv/apisix/jack": { key: "k1" } };
    const { book, clock, lookup, manage } = open(answers, { ttlMs: 100, failureTtlMs: 10, maxSecrets: 1 });
    manage(VAULT);
    lookup();
    await clock.advance(0);
    answers["/v1/kv/apisix/jack"] = { key: "k2" };
    await clock.advance(99);
    expect(lookup()).toEqual({ ok: true, value: "k1" });
    await clock.advance(1);
    expect(lookup()).toEqual({ ok: true, value: "k2" });
    expect(book.lookup("$secret://vault/1/p/more", "route/1")).toMatchObject({ ok: false });
    book.stop();
  });

  it("are bounded in number", () => {
    const { book, manage } = open({});
    manage(VAULT);
    for (let index = 0; index < 512; index += 1) book.lookup(`$secret://vault/1/p/${index}`, "route/1");
    expect(book.lookup("$secret://vault/1/p/more", "route/1")).toMatchObject({ ok: false });
    book.stop();
  });

  it.each(["$secret://vault/1/key", "$secret://vault/1/../../sys/key", "$secret://vault/1/path/"])(
    "must be named by a path below the prefix and a member: %s",
    async (reference) => {
      const { book, clock, http, manage } = open({});
      manage(VAULT);
      book.lookup(reference, "route/1");
      await clock.advance(0);
      expect(book.lookup(reference, "route/1")).toMatchObject({ ok: false });
      expect(http.calls).toEqual([]);
      book.stop();
    },
  );
});
