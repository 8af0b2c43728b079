import { brotliDecompressSync } from "node:zlib";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { echo } from "../echo/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { getBytes } from "../testing/raw-body.ts";
import { brotli } from "./index.ts";
import { brotliSchema } from "./schema.ts";

describePlugin(brotli, { folder: import.meta.dirname, config: {} });

describeSchema(brotliSchema, {
  defaults: [
    {},
    {
      types: ["text/html"],
      min_length: 20,
      http_version: 1.1,
      mode: 0,
      comp_level: 6,
      lgwin: 19,
      lgblock: 0,
    },
  ],
  accepts: [{ types: ["text/css"], vary: false, mode: 2, comp_level: 0, lgwin: 0, lgblock: 24 }],
  refuses: [
    [{ types: [] }, "types"],
    [{ types: "text/html" }, "types"],
    [{ min_length: 0 }, "min_length"],
    [{ http_version: 2 }, "http_version"],
    [{ comp_level: 12 }, "comp_level"],
    [{ mode: 3 }, "mode"],
    [{ lgwin: 5 }, "lgwin"],
    [{ lgblock: 25 }, "lgblock"],
  ],
});

const PAGE = "<p>a page of more than twenty bytes</p>";

describe("brotli", () => {
  const html = { "content-type": "text/html; charset=utf-8", etag: '"1"' };

  /** The answer to one request. */
  async function answerTo(config: object, upstream: object, headers: Readonly<Record<string, string>>) {
    const reply = { headers: html, body: PAGE, ...upstream };
    await using gateway = await gatewayWith(brotli, { ...config }, { upstream: reply });
    return await getBytes(gateway.portOf(), "/", headers);
  }

  it("compresses an answer for a client that takes it", async () => {
    const { body, headers } = await answerTo({ vary: true }, {}, { "accept-encoding": "deflate, br;q=0.5" });
    expect(brotliDecompressSync(body).toString()).toBe(PAGE);
    expect(headers).toMatchObject({ "content-encoding": "br", vary: "Accept-Encoding", etag: 'W/"1"' });
    expect(headers).not.toHaveProperty("content-length");
  });

  it.each([
    ["the client does not take it", {}, {}, {}],
    ["the client refuses it", {}, {}, { "accept-encoding": "br;q=0, *" }],
    ["the type is another one", { types: ["text/css"] }, {}, { "accept-encoding": "br" }],
    ["there is no type", { types: "*" }, { headers: {} }, { "accept-encoding": "br" }],
    ["it is encoded already", {}, { headers: { ...html, "content-encoding": "zstd" } }, { "accept-encoding": "br" }],
    [
      "it is too short",
      { min_length: 100 },
      { headers: { ...html, "content-length": "39" } },
      { "accept-encoding": "br" },
    ],
  ])("leaves an answer alone when %s", async (...[, config, upstream, headers]) => {
    const answer = await answerTo(config, upstream, headers);
    expect(answer.body.toString()).toBe(PAGE);
    expect(answer.headers["content-encoding"]).not.toBe("br");
  });

  it.each([16_384, 16_385, 300_000])("compresses a body of %s bytes", async (length) => {
    const page = "<p>0123456789</p>".repeat(Math.ceil(length / 17)).slice(0, length);
    const { body } = await answerTo({}, { body: page }, { "accept-encoding": "br" });
    expect(brotliDecompressSync(body).toString()).toBe(page);
  });

  it("compresses what filters made of the body", async () => {
    await using gateway = await runGateway({
      plugins: [brotli, echo].map((plugin) => plugin as PluginDefinition),
      upstream: { headers: { "content-type": "text/html" }, body: PAGE },
      routes: { 1: { uri: "/*", plugins: { brotli: {}, echo: { before_body: "<!doctype html>" } } } },
    });
    const { body } = await getBytes(gateway.portOf(), "/", { "accept-encoding": "br" });
    expect(brotliDecompressSync(body).toString()).toBe(`<!doctype html>${PAGE}`);
  });
});
