import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { csrf } from "./index.ts";
import { csrfSchema } from "./schema.ts";
import { createToken, findTokenProblem } from "./token.ts";

const KEY = "a very secret signing key";

describePlugin(csrf, { folder: import.meta.dirname, config: { key: KEY } });

describeSchema(csrfSchema, {
  defaults: [{ key: "k" }, { key: "k", expires: 7200, name: "apisix-csrf-token" }],
  accepts: [{ key: "k", expires: -1, name: "n", other: 1 }],
  refuses: [
    [{}, "key"],
    [{ key: 1 }, "key"],
    [{ key: "k", expires: 1.5 }, "expires"],
    [{ key: "k", name: 1 }, "name"],
  ],
});

describe("tokens", () => {
  const limits = { maxAgeSeconds: 100, nowSeconds: 1_000 };
  const reader = (text: string) => JSON.parse(Buffer.from(text, "base64").toString()) as Record<string, unknown>;
  const token = (content: unknown) => Buffer.from(JSON.stringify(content)).toString("base64");

  it("are taken until they are too old", () => {
    expect(findTokenProblem(createToken("k", 900), "k", limits)).toBeUndefined();
    expect(findTokenProblem(createToken("k", 899), "k", limits)).toBe("expired");
    expect(findTokenProblem(createToken("k", 1), "k", { ...limits, maxAgeSeconds: 0 })).toBeUndefined();
  });

  it("are refused when another key signed them or somebody changed them", () => {
    expect(findTokenProblem(createToken("other", 950), "k", limits)).toBe("signed with another key");
    const changed = token({ ...reader(createToken("k", 850)), expires: 999 });
    expect(findTokenProblem(changed, "k", limits)).toBe("signed with another key");
  });

  it("of APISIX are taken: the same text is signed", () => {
    const content = {
      random: 0.42986319716139,
      sign: "484e0685911d96ba079c45db49166fdb4488c85d5d46a5caa3e02aad9b619946",
      expires: 2_643_119_624,
    };
    expect(findTokenProblem(token(content), "userkey", { maxAgeSeconds: 0, nowSeconds: 0 })).toBeUndefined();
  });

  it.each([
    "",
    "%%%",
    "bm90IGpzb24=",
    token(null),
    token([]),
    token({ random: 1 }),
    token({ random: {}, expires: 1, sign: "" }),
  ])("%j cannot be read", (text) => expect(findTokenProblem(text, "k", limits)).toBe("not readable"));
});

describe("csrf", () => {
  const name = "apisix-csrf-token";

  it("hands a token out with every answer and lets changes through that carry it twice", async () => {
    await using gateway = await gatewayWith(csrf, { key: KEY });
    const [cookie = ""] = (await gateway.get("/")).headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^apisix-csrf-token=[^;]+;path=\/;SameSite=Lax;Expires=.+ GMT$/);
    const token = cookie.slice(name.length + 1, cookie.indexOf(";"));
    const headers = { [name]: token, cookie: `a=b; ${name}=${token}` };
    expect((await gateway.send("/", { method: "POST", headers })).status).toBe(200);
  });

  it.each([
    [{}, "no csrf token in headers"],
    [{ [name]: "" }, "no csrf token in headers"],
    [{ [name]: "a" }, "no csrf cookie"],
    [{ [name]: "a", cookie: `${name}=b` }, "csrf token mismatch"],
    [{ [name]: "a", cookie: `${name}=a` }, "Failed to verify the csrf token signature"],
  ])("refuses a change with %j: %s", async (headers, text) => {
    await using gateway = await gatewayWith(csrf, { key: KEY });
    const answer = await gateway.send("/", { method: "POST", headers: { ...headers } });
    expect(answer).toMatchObject({ status: 401, body: `{"error_msg":"${text}"}\n` });
    expect(answer.headers["set-cookie"]).toHaveLength(1);
  });

  it.each(["GET", "HEAD", "OPTIONS"])("asks %s for nothing", async (method) => {
    await using gateway = await gatewayWith(csrf, { key: KEY, name: "x" });
    expect((await gateway.send("/", { method })).status).toBe(200);
  });
});
