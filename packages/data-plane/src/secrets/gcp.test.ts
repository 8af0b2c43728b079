import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { fakeHttp } from "@fngate/plugin-kit/testing";
import { FakeClock, tempDirectory } from "@fngate/test-kit";
import { decodeJwt, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { openManager } from "./open-manager.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const ACCOUNT = {
  client_email: "gateway@project.example",
  private_key: "$env://KEY",
  project_id: "project-1",
  token_uri: "http://127.0.0.1:1/token",
  entries_uri: "http://127.0.0.1:1/v1",
};

/** A manager over a Google Cloud that is a map of texts by the secrets' names. */
function open(config: object, texts: Readonly<Record<string, string>> = {}) {
  const clock = new FakeClock();
  const http = fakeHttp(({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/token") return json(200, { access_token: "t0ken", expires_in: 3600 });
    const text = texts[/secrets\/([^/]+)\/versions\/latest:access$/.exec(pathname)?.[1] ?? ""];
    return text === undefined ? json(404, {}) : json(200, { payload: { data: btoa(text) } });
  });
  const resolveText = (text: string) => (text === "$env://KEY" ? PEM : text);
  const manager = openManager("gcp/1", JSON.stringify(config), { http, clock, resolveText });
  return { clock, http, read: (key: string) => manager?.read(key) };
}

function json(status: number, value: unknown) {
  return { status, body: Buffer.from(JSON.stringify(value)) };
}

describe("secrets of Google Cloud", () => {
  it("are the latest versions, or members of the JSON in them", async () => {
    const { http, read } = open({ auth_config: ACCOUNT }, { jack: '{"key":"k"}' });
    expect(await read("jack")).toEqual({ ok: true, value: '{"key":"k"}' });
    expect(await read("jack/key")).toEqual({ ok: true, value: "k" });
    expect(await read("jack/none")).toEqual({ ok: false, reason: "gcp has no such member" });
    expect(http.calls[1]).toMatchObject({
      method: "GET",
      url: "http://127.0.0.1:1/v1/projects/project-1/secrets/jack/versions/latest:access",
      headers: ["authorization", "Bearer t0ken"],
      verifyTls: true,
    });
  });

  it("are read with a token that the account signs for, and that is kept until shortly before its end", async () => {
    const { clock, http, read } = open({ auth_config: ACCOUNT, ssl_verify: false }, { jack: "k" });
    await read("jack");
    const [call] = http.calls;
    expect(call).toMatchObject({ method: "POST", url: ACCOUNT.token_uri, verifyTls: false });
    const form = new URLSearchParams(String(call?.body));
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const assertion = form.get("assertion") ?? "";
    await jwtVerify(assertion, publicKey, { currentDate: new Date(clock.now()), algorithms: ["RS256"] });
    expect(decodeJwt(assertion)).toEqual({
      iss: ACCOUNT.client_email,
      aud: ACCOUNT.token_uri,
      scope: "https://www.googleapis.com/auth/cloud-platform",
      iat: clock.now() / 1_000,
      exp: clock.now() / 1_000 + 3_600,
    });
    await clock.advance(3_539_999);
    await read("jack");
    expect(http.calls).toHaveLength(3);
    await clock.advance(1);
    await read("jack");
    expect(http.calls).toHaveLength(5);
  });

  it("are read with the account of a file, which is looked at each time", async () => {
    await using directory = await tempDirectory();
    const file = directory.file("account.json");
    const { read } = open({ auth_file: file }, { jack: "k" });
    expect(await read("jack")).toEqual({ ok: false, reason: "the account of gcp cannot be read" });
    await writeFile(file, JSON.stringify({ ...ACCOUNT, type: "service_account" }));
    expect(await read("jack")).toEqual({ ok: true, value: "k" });
    await writeFile(file, '{"project_id":"p"}');
    expect(await read("jack")).toMatchObject({ ok: false });
    expect(await open({ auth_file: "/dev/zero" }).read("jack")).toMatchObject({ ok: false });
  });

  it.each([
    ["a key that is none", { private_key: "none" }, "gcp gave no token"],
    ["a refused account", { token_uri: "http://127.0.0.1:1/nothing" }, "gcp gave no token"],
    ["an address that is none", { token_uri: "nowhere" }, "gcp cannot be reached"],
  ])("are not to be had with %s", async (_name, change, reason) => {
    expect(await open({ auth_config: { ...ACCOUNT, ...change } }).read("jack")).toEqual({ ok: false, reason });
  });

  it("are told to be missing by status, and asked for by names only", async () => {
    const { http, read } = open({ auth_config: ACCOUNT });
    expect(await read("none")).toEqual({ ok: false, reason: "gcp answered 404" });
    expect(await read("../other")).toEqual({ ok: false, reason: "its key needs the name of a secret" });
    await read("a?b#c");
    expect(http.calls.at(-1)?.url).toContain("/secrets/a%3Fb%23c/versions/");
  });
});
