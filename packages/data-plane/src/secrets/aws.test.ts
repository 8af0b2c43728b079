import { createHash, createHmac } from "node:crypto";
import type { HttpCall } from "@fngate/kernel";
import { fakeHttp } from "@fngate/plugin-kit/testing";
import { FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { type AwsConfig, awsManager } from "./aws.ts";

const CONFIG: AwsConfig = {
  access_key_id: "AKID",
  secret_access_key: "$env://KEY",
  region: "eu-west-1",
  endpoint_url: "http://127.0.0.1:4566/ignored",
};

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Signature as Amazon's documentation has it computed, from what was sent. */
function signatureOf({ body, headers = [], url }: HttpCall, secret: string): string {
  const fields = new Map<string, string>([["host", new URL(url).host]]);
  for (let index = 0; index < headers.length; index += 2) fields.set(headers[index] ?? "", headers[index + 1] ?? "");
  const [, scope = "", names = ""] = /\/([^,]+), SignedHeaders=([^,]+),/.exec(fields.get("authorization") ?? "") ?? [];
  const signed = names.split(";").map((name) => `${name}:${fields.get(name)}\n`);
  const canonical = ["POST", "/", "", signed.join(""), names, sha256(String(body))].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", fields.get("x-amz-date"), scope, sha256(canonical)].join("\n");
  let key = Buffer.from(`AWS4${secret}`);
  for (const step of [...scope.split("/"), toSign]) key = createHmac("sha256", key).update(step).digest();
  return key.toString("hex");
}

/** A manager over an AWS that is a map of texts by the secrets' names. */
function open(texts: Readonly<Record<string, string>>, config: Partial<AwsConfig> = {}) {
  const http = fakeHttp(({ body }) => {
    const text = texts[JSON.parse(String(body)).SecretId];
    const answer = text === undefined ? { __type: "ResourceNotFoundException" } : { SecretString: text };
    return { status: text === undefined ? 400 : 200, body: Buffer.from(JSON.stringify(answer)) };
  });
  const resolveText = (text: string) => (text === "$env://KEY" ? "secret-key" : text);
  return { http, manager: awsManager({ ...CONFIG, ...config }, { http, clock: new FakeClock(), resolveText }) };
}

const namesIn = ({ calls }: { calls: readonly HttpCall[] }) =>
  calls.map(({ body }) => JSON.parse(String(body)).SecretId);

describe("secrets of AWS", () => {
  it("are asked for by a signed call of the configured endpoint", async () => {
    const { http, manager } = open({ jack: "k" }, { session_token: "session" });
    expect(await manager.read("jack")).toEqual({ ok: true, value: "k" });
    const [call] = http.calls;
    expect(call).toMatchObject({
      method: "POST",
      url: "http://127.0.0.1:4566/",
      body: '{"SecretId":"jack","VersionStage":"AWSCURRENT"}',
    });
    const fields = call?.headers ?? [];
    expect(fields).toEqual(
      expect.arrayContaining(["secretsmanager.GetSecretValue", "x-amz-security-token", "session"]),
    );
    expect(fields.at(-1)).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/20300101\/eu-west-1\/secretsmanager\/aws4_request, /,
    );
    expect(fields.at(-1)).toContain("x-amz-security-token;x-amz-target");
    expect(fields.at(-1)).toContain(`Signature=${call && signatureOf(call, "secret-key")}`);
  });

  it("are asked of the region's own endpoint by default", async () => {
    const { http, manager } = open({}, { endpoint_url: undefined });
    await manager.read("jack");
    expect(http.calls[0]?.url).toBe("https://secretsmanager.eu-west-1.amazonaws.com/");
  });

  it("may be members of a JSON text, with the longest name that there is", async () => {
    const { http, manager } = open({ "team/jack": '{"key":"k","more/deep":7}' });
    expect(await manager.read("team/jack/key")).toEqual({ ok: true, value: "k" });
    expect(namesIn(http)).toEqual(["team/jack/key", "team/jack"]);
    expect(await manager.read("team/jack/more/deep")).toEqual({ ok: true, value: "7" });
    expect(await manager.read("team/jack/none")).toEqual({ ok: false, reason: "aws has no such member" });
  });

  it("that nobody has end the search, with a status and nothing of the answer", async () => {
    const { http, manager } = open({});
    expect(await manager.read("a/b")).toEqual({ ok: false, reason: "aws answered 400" });
    expect(namesIn(http)).toEqual(["a/b", "a"]);
    expect(await manager.read("/a")).toEqual({ ok: false, reason: "its key needs the name of a secret" });
    expect(await manager.read("a/".repeat(40))).toMatchObject({ ok: false });
    expect(http.calls).toHaveLength(2 + 16);
  });

  it("are not searched for under other names when AWS refuses or is away", async () => {
    const clock = new FakeClock();
    const refusing = fakeHttp(() => ({ status: 400, body: Buffer.from('{"__type":"AccessDeniedException"}') }));
    const away = fakeHttp(() => Promise.reject(new Error("away")));
    const tools = { clock, resolveText: (text: string) => text };
    expect(await awsManager(CONFIG, { ...tools, http: refusing }).read("a/b")).toEqual({
      ok: false,
      reason: "aws answered 400",
    });
    expect(await awsManager(CONFIG, { ...tools, http: away }).read("a/b")).toEqual({
      ok: false,
      reason: "aws cannot be reached",
    });
    expect(
      await awsManager({ ...CONFIG, endpoint_url: undefined, region: "a b" }, { ...tools, http: away }).read("a"),
    ).toEqual({
      ok: false,
      reason: "aws cannot be reached",
    });
    expect([refusing.calls.length, away.calls.length]).toEqual([1, 1]);
  });
});
