import { systemClock } from "@fngate/kernel";
import { describe, expect, it } from "vitest";
import { decodeIdentity, openScene, SESSION_SECRET, startOpenidGateway } from "../testing/openid-scene.ts";

describe("a session", () => {
  /** A gateway whose clock the test moves. */
  function movable() {
    const moved = { seconds: 0 };
    const clock = Object.assign(Object.create(systemClock), { now: () => Date.now() + moved.seconds * 1000 });
    return { moved, setup: { options: { clock } } };
  }

  it("renews its access token when that has expired, once for requests that come together", async () => {
    const { moved, setup } = movable();
    await using scene = await openScene(
      { session: { secret: SESSION_SECRET, idling_timeout: 0, rolling_timeout: 0 } },
      setup,
    );
    await scene.logIn("/");
    const before = (await scene.gateway.upstream.request()).headers["x-access-token"];
    const asked = scene.provider.visits.get("/token") ?? 0;
    moved.seconds = 3700;
    const pages = await Promise.all([scene.visit("/1"), scene.visit("/2"), scene.visit("/3")]);
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
    const after = scene.gateway.upstream.requests.slice(1).map(({ headers }) => headers["x-access-token"]);
    expect(new Set(after).size).toBe(1);
    expect(after[0]).not.toBe(before);
    expect(scene.provider.visits.get("/token")).toBe(asked + 1);
    expect((await scene.visit("/4")).status).toBe(200);
    expect(scene.provider.visits.get("/token")).toBe(asked + 1);
  });

  it("goes on with a token that holds yet, when another gateway has used its refresh token up", async () => {
    const { moved, setup } = movable();
    const session = { secret: SESSION_SECRET, idling_timeout: 0, rolling_timeout: 0 };
    const config = { access_token_expires_leeway: 600, session };
    await using scene = await openScene(config, setup);
    await using other = await startOpenidGateway(scene.provider, config, setup);
    scene.provider.configure([scene.client], { rotateRefreshToken: true });
    await scene.logIn("/");
    const before = (await scene.gateway.upstream.request()).headers["x-access-token"];
    const headers = { cookie: scene.browser.cookiesFor(scene.origin) };
    moved.seconds = 3300;
    expect((await scene.visit("/1")).status).toBe(200);
    expect((await scene.gateway.upstream.request(2)).headers["x-access-token"]).not.toBe(before);
    expect((await other.get("/1", headers)).status).toBe(200);
    expect((await other.upstream.request()).headers["x-access-token"]).toBe(before);
    moved.seconds = 3700;
    expect((await other.get("/2", headers)).status).toBe(302);
  });

  it("renews its access token again and again with a refresh token that stays", async () => {
    const { moved, setup } = movable();
    await using scene = await openScene(
      { session: { secret: SESSION_SECRET, idling_timeout: 0, rolling_timeout: 0 } },
      setup,
    );
    scene.provider.configure([scene.client], { rotateRefreshToken: false });
    await scene.logIn("/");
    for (moved.seconds = 3700; moved.seconds < 12_000; moved.seconds += 3700) {
      expect((await scene.visit("/")).status).toBe(200);
    }
    const tokens = scene.gateway.upstream.requests.map(({ headers }) => headers["x-access-token"]);
    expect(new Set(tokens).size).toBe(4);
  });

  it("ends with its access token when that is not to be renewed", async () => {
    const { moved, setup } = movable();
    const session = { secret: SESSION_SECRET, idling_timeout: 0, rolling_timeout: 0 };
    await using scene = await openScene({ renew_access_token_on_expiry: false, session }, setup);
    await scene.logIn("/");
    moved.seconds = 3700;
    expect((await scene.visit("/")).status).toBe(302);
  });

  it.each([
    { name: "nobody used it", session: { idling_timeout: 60 }, after: 61, status: 302 },
    { name: "it is too old", session: { absolute_timeout: 60, idling_timeout: 0 }, after: 61, status: 302 },
    { name: "it is too old by the older name", session: { cookie: { lifetime: 60 } }, after: 61, status: 302 },
    { name: "its time is not up", session: { idling_timeout: 60 }, after: 59, status: 200 },
    { name: "it was not used for its last quarter", session: { rolling_timeout: 60 }, after: 61, status: 302 },
  ])("answers $status when $name", async ({ after, session, status }) => {
    const { moved, setup } = movable();
    await using scene = await openScene({ session: { secret: SESSION_SECRET, ...session } }, setup);
    await scene.logIn("/");
    moved.seconds = after;
    expect((await scene.visit("/")).status).toBe(status);
  });

  it("goes on as long as it is used", async () => {
    const { moved, setup } = movable();
    const session = { secret: SESSION_SECRET, idling_timeout: 60, rolling_timeout: 100 };
    await using scene = await openScene({ session }, setup);
    await scene.logIn("/");
    const statuses: number[] = [];
    for (moved.seconds = 40; moved.seconds < 400; moved.seconds += 40) statuses.push((await scene.visit("/")).status);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it("is no session when somebody changed it, or it is another client's", async () => {
    await using scene = await openScene();
    await scene.logIn("/");
    const own = scene.browser.cookiesFor(scene.origin);
    const ask = async (cookie: string) => (await scene.gateway.get("/", { cookie })).status;
    const at = own.indexOf(".", own.length / 2) + 10;
    const changed = own.slice(0, at) + (own[at] === "A" ? "B" : "A") + own.slice(at + 1);
    expect([await ask(own), await ask(changed), await ask(own.slice(0, -4))]).toEqual([200, 302, 302]);
    const other = {
      client_id: "other",
      client_secret: "s",
      discovery: scene.provider.discovery,
      session: { secret: SESSION_SECRET },
    };
    await scene.gateway.put("routes/1", { uri: "/*", plugins: { "openid-connect": other } });
    expect(await ask(own)).toBe(302);
  });

  it("is kept in several cookies when it is large, and in fewer when it shrinks", async () => {
    await using scene = await openScene({ session: { secret: SESSION_SECRET, cookie_name: "mine" } });
    const name = "x".repeat(4700);
    scene.provider.configure([scene.client], {
      findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, name }) }),
    });
    const answer = await scene.answerOf("/");
    const { cookies } = await scene.browser.visit(answer);
    const names = cookies.filter((cookie) => !cookie.includes("Max-Age=0")).map((cookie) => cookie.split("=")[0]);
    expect(names).toEqual(["mine", "mine2", "mine3"]);
    for (const cookie of cookies) expect(cookie.length).toBeLessThan(4096);
    expect((await scene.visit("/")).status).toBe(200);
    expect(decodeIdentity((await scene.gateway.upstream.request()).headers["x-userinfo"])).toMatchObject({ name });
    const page = await scene.visit("/logout");
    expect(page.cookies.filter((cookie) => cookie.includes("Max-Age=0")).length).toBe(3);
  });

  it.each([5_500, 30_000])("that is too large for cookies is told about: %s characters", async (length) => {
    await using scene = await openScene();
    const claims = () => ({ sub: "jack", name: "x".repeat(length) });
    scene.provider.configure([scene.client], { findAccount: (_: unknown, id: string) => ({ accountId: id, claims }) });
    expect((await scene.logIn("/")).status).toBe(500);
    expect(JSON.stringify(scene.gateway.lines)).toContain("too large");
    // What the browser keeps by now must not be more than the gateway takes.
    expect((await scene.visit("/logout")).status).not.toBe(400);
  });

  it("is kept as configured", async () => {
    const session = {
      secret: SESSION_SECRET,
      cookie_path: "/",
      cookie_domain: "127.0.0.1",
      cookie_secure: true,
      cookie_http_only: false,
      cookie_same_site: "None",
    };
    await using scene = await openScene({ session });
    const [cookie] = (await scene.visit("/")).cookies;
    expect(cookie).toMatch(/^session=\S+; Path=\/; Domain=127.0.0.1; SameSite=None; Secure$/);
  });
});

describe("logging out", () => {
  it("ends the session here and at the provider", async () => {
    await using scene = await openScene({ revoke_tokens_on_logout: true });
    const { gateway, origin } = scene;
    const after = `${origin}/bye`;
    const config = {
      client_id: "gateway",
      client_secret: "clients-secret",
      discovery: scene.provider.discovery,
      redirect_uri: "/callback",
      revoke_tokens_on_logout: true,
      post_logout_redirect_uri: after,
      session: { secret: SESSION_SECRET },
    };
    await gateway.put("routes/1", { uri: "/*", plugins: { "openid-connect": config } });
    await scene.logIn("/");
    const page = await scene.visit("/logout?x=1");
    const place = new URL(page.headers.get("location") ?? "");
    expect([page.status, place.origin, place.pathname]).toEqual([302, scene.provider.issuer, "/session/end"]);
    expect(place.searchParams.get("post_logout_redirect_uri")).toBe(after);
    expect(place.searchParams.get("id_token_hint")).toMatch(/^ey/);
    expect(scene.provider.visits.get("/token/revocation")).toBe(2);
    expect((await scene.visit("/")).status).toBe(302);
  });
});

describe("what a session has to have", () => {
  it.each([
    { config: { required_scopes: ["profile"] }, status: 200 },
    { config: { required_scopes: ["profile", "admin"] }, status: 403 },
    { config: { claim_schema: { type: "object", required: ["user", "access_token", "id_token"] } }, status: 200 },
    { config: { claim_schema: { properties: { user: { required: ["email"] } } } }, status: 401 },
  ])("answers $status under $config", async ({ config, status }) => {
    await using scene = await openScene(config);
    const page = await scene.logIn("/");
    expect(page.status).toBe(status);
    if (status === 403) expect(page.body).toBe('{"error":"required scopes profile, admin not present"}');
    if (status === 401) expect(page.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  it("asks the provider again when that is due, without asking the caller", async () => {
    const moved = { seconds: 0 };
    const clock = Object.assign(Object.create(systemClock), { now: () => Date.now() + moved.seconds * 1000 });
    await using scene = await openScene({ refresh_session_interval: 60 }, { options: { clock } });
    await scene.logIn("/");
    moved.seconds = 61;
    const due = await scene.visit("/");
    expect(new URL(due.headers.get("location") ?? "").searchParams.get("prompt")).toBe("none");
    expect((await scene.browser.follow(due)).status).toBe(200);
  });
});

describe("secrets", () => {
  it("are neither logged nor sent to browsers", async () => {
    await using scene = await openScene();
    await scene.logIn("/");
    const token = String((await scene.gateway.upstream.request()).headers["x-access-token"]);
    await scene.visit("/callback?code=dummy-code&state=x");
    const logged = JSON.stringify(scene.gateway.lines);
    for (const secret of [SESSION_SECRET, "clients-secret", token, "dummy-code"]) expect(logged).not.toContain(secret);
    expect(scene.browser.cookiesFor(scene.origin)).not.toContain(token);
  });
});
