import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { runGateway } from "@fngate/data-plane/testing";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { getBytes } from "../testing/raw-body.ts";
import { responseRewrite } from "./index.ts";
import { responseRewriteSchema } from "./schema.ts";

describePlugin(responseRewrite, { folder: import.meta.dirname, config: { body: "x" } });

const DEFAULTS = { body_base64: false, max_resp_body_size: 67_108_864 };

describeSchema(responseRewriteSchema, {
  defaults: [
    { filters: [{ regex: "a", replace: "b" }] },
    { ...DEFAULTS, filters: [{ regex: "a", replace: "b", scope: "once", options: "jo" }] },
  ],
  accepts: [
    {},
    { status_code: 598, body: "", headers: { "X-A": "1", "X-B": 2 } },
    { body: "SGVsbG8K", body_base64: true },
    { headers: { add: ["Set-Cookie: a=b; max-age=0"], set: { a: 1 }, remove: ["b"] }, vars: [["status", "==", 200]] },
  ],
  refuses: [
    [{ status_code: 599 }, "status_code"],
    [{ body: 2 }, "body"],
    [{ headers: { "": "x" } }, "invalid field length in header"],
    [{ headers: { add: ["no-colon"] } }, "headers.add.0"],
    [{ headers: { "X-A": ["list"] } }, "invalid type as header value"],
    [{ body: "1", body_base64: true }, "invalid base64 content"],
    [{ body_base64: true }, "invalid base64 content"],
    [{ vars: [{}] }, "failed to validate the 'vars' expression: rule too short"],
    [
      { body: "x", filters: [{ regex: "a", replace: "b" }] },
      'failed to validate dependent schema for "filters|body": value wasn\'t supposed to match schema',
    ],
    [{ filters: [] }, "filters"],
    [{ filters: [{ regex: "", replace: "b" }] }, "filters.0.regex"],
    [{ filters: [{ regex: "a", replace: "b", scope: "two" }] }, "filters.0.scope"],
    [
      { filters: [{ regex: "(", replace: "b" }] },
      'regex "(" validation failed: error parsing regexp: missing closing ): `(`',
    ],
    [
      { filters: [{ regex: "a", replace: "b", options: "h" }] },
      'regex "a" validation failed: unknown flag "h" (flags "h")',
    ],
  ],
});

describe("response-rewrite", () => {
  it("changes status, fields and body, and frames the new body", async () => {
    await using gateway = await gatewayWith(
      responseRewrite,
      {
        status_code: 404,
        headers: { "X-Server": "gw", "X-Uri": "$uri $status", "Content-Type": "text/x-new", "Content-Length": "3" },
        body: "hello, 你好",
      },
      { upstream: { headers: { etag: '"1"', "last-modified": "x", "content-type": "text/html" }, body: "old" } },
    );
    const answer = await getBytes(gateway.portOf(), "/p", {});
    expect(answer).toMatchObject({
      status: 404,
      headers: { "x-server": "gw", "x-uri": "/p 404", "content-type": "text/x-new", "transfer-encoding": "chunked" },
    });
    expect(answer.body.toString()).toBe("hello, 你好");
    for (const name of ["etag", "last-modified", "content-length"]) expect(answer.headers).not.toHaveProperty(name);
  });

  it("sends the bytes that Base64 stands for", async () => {
    await using gateway = await gatewayWith(responseRewrite, { body: "//79AA==", body_base64: true });
    expect((await getBytes(gateway.portOf(), "/", {})).body).toEqual(Buffer.from([0xff, 0xfe, 0xfd, 0]));
  });

  it("adds, sets and removes fields", async () => {
    await using gateway = await gatewayWith(
      responseRewrite,
      {
        headers: {
          add: ["Set-Cookie: c=$arg_c; Max-Age=9", "X-Kept : b", "X-Both: added"],
          set: { "X-Set": "new", "X-Both": "$request_method", "X-Emptied": "$none" },
          remove: ["X-Gone", "content-length"],
        },
      },
      {
        upstream: {
          headers: [
            "Set-Cookie",
            "a=b",
            "X-Kept",
            "a",
            "X-Set",
            "old",
            "X-Gone",
            "1",
            "X-Emptied",
            "1",
            "Content-Length",
            "2",
          ],
          body: "ok",
        },
      },
    );
    const answer = await gateway.get("/?c=d");
    expect(answer.headers).toMatchObject({
      "set-cookie": ["a=b", "c=d; Max-Age=9"],
      "x-kept": "a, b",
      "x-set": "new",
      "x-both": "GET",
      "content-length": "2",
    });
    for (const name of ["x-gone", "x-emptied"]) expect(answer.headers).not.toHaveProperty(name);
  });

  it("lets no line break of a decoded path into the head", async () => {
    await using gateway = await gatewayWith(responseRewrite, { headers: { "X-Path": "$uri" } });
    const answer = await gateway.get("/a%0d%0aInjected:%20yes");
    expect(answer.headers["x-path"]).toBe("/a%0D%0AInjected: yes");
    expect(answer.headers).not.toHaveProperty("injected");
  });

  it.each([
    ["/?s=200", 201, "new"],
    ["/?s=500", 500, "old"],
  ])("changes only what meets the condition: %s", async (target, status, body) => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { vars: [["status", "==", 200]], status_code: 201, body: "new" },
      { upstream: ({ url }) => ({ status: Number(url.slice(-3)), body: "old" }) },
    );
    expect(await gateway.get(target)).toMatchObject({ status, body });
  });

  it.each([
    [[{ regex: "l+", replace: "L" }], "hello lily", "heLo lily"],
    [[{ regex: "l", replace: "L", scope: "global" }], "hello", "heLLo"],
    [[{ regex: "^(H)(.)", replace: "$2$1", options: "i" }], "hello", "ehllo"],
    [[{ regex: "a.b", replace: "x", options: "s" }], "a\nb", "x"],
    [[{ regex: "^b", replace: "x", options: "m" }], "a\nb", "a\nx"],
    [[{ regex: "你", replace: "您" }], "你好", "您好"],
    [[{ regex: "^.", replace: "x", options: "u" }], "你好", "x好"],
    [
      [
        { regex: "a", replace: "b" },
        { regex: "b", replace: "c", scope: "global" },
      ],
      "ab",
      "cc",
    ],
    [[{ regex: "\\w\\S+$", replace: "*" }], "hello world\n", "hello *\n"],
    [[{ regex: "none", replace: "x" }], "hello", "hello"],
  ])("filters with %j", async (filters, body, changed) => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { filters },
      { upstream: { chunks: [body.slice(0, 2), body.slice(2)] } },
    );
    expect((await gateway.get("/")).body).toBe(changed);
  });

  it.each([
    ["gzip", gzipSync("hello"), "HELLO"],
    ["deflate", deflateSync("hello"), "HELLO"],
    ["br", brotliCompressSync("hello"), "HELLO"],
    ["identity", Buffer.from("hello"), "HELLO"],
  ])("decodes %s before it filters, and sends the body plain", async (coding, encoded, changed) => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { filters: [{ regex: "hello", replace: "HELLO" }] },
      { upstream: { headers: { "content-encoding": coding }, body: encoded } },
    );
    const answer = await getBytes(gateway.portOf(), "/", {});
    expect(answer.body.toString()).toBe(changed);
    expect(answer.headers).not.toHaveProperty("content-encoding");
  });

  it("leaves a coding that it does not know to the client", async () => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { filters: [{ regex: "hello", replace: "HELLO" }] },
      { upstream: { headers: { "content-encoding": "zstd" }, body: "hello" } },
    );
    expect(await gateway.get("/")).toMatchObject({ body: "hello", headers: { "content-encoding": "zstd" } });
  });

  it("lets a body pass that is not of the coding it claims", async () => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { filters: [{ regex: "a", replace: "b" }] },
      { upstream: { headers: { "content-encoding": "gzip" }, body: "a no gzip" } },
    );
    expect((await gateway.get("/")).body).toBe("a no gzip");
  });

  it("breaks an answer off that grows beyond the bound when it is decoded", async () => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { filters: [{ regex: "a", replace: "b" }], max_resp_body_size: 1_000 },
      { upstream: { headers: { "content-encoding": "gzip" }, body: gzipSync("a".repeat(100_000)) } },
    );
    await expect(gateway.get("/")).rejects.toThrow();
  });

  it("cuts a body off at the bound", async () => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { filters: [{ regex: "c", replace: "C" }], max_resp_body_size: 3 },
      { upstream: { chunks: ["ab", "cdef"] } },
    );
    expect((await gateway.get("/")).body).toBe("abC");
  });

  it("changes the gateway's own answers too", async () => {
    await using gateway = await runGateway({
      plugins: [responseRewrite],
      globalRules: { 1: { plugins: { "response-rewrite": { status_code: 200, body: "nothing here" } } } },
    });
    expect(await gateway.get("/none")).toMatchObject({ status: 200, body: "nothing here" });
  });

  it.each([
    ["HEAD", 200, 200],
    ["GET", 204, 204],
  ])("sends no body with %s and %i, and the connection goes on", async (method, upstreamStatus, status) => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { body: "new", ...(upstreamStatus === 204 ? { status_code: 204 } : {}) },
      { upstream: { status: upstreamStatus === 204 ? 200 : upstreamStatus, body: "old" } },
    );
    expect(await gateway.send("/", { method })).toMatchObject({ status, body: "" });
  });

  it("gives an answer a body that had none", async () => {
    await using gateway = await gatewayWith(
      responseRewrite,
      { status_code: 200, body: "new" },
      { upstream: { status: 204 } },
    );
    expect(await gateway.get("/")).toMatchObject({ status: 200, body: "new" });
  });
});
