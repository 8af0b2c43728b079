import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { proxyBuffering } from "./index.ts";
import { proxyBufferingSchema } from "./schema.ts";

describePlugin(proxyBuffering, { folder: import.meta.dirname, config: { disable_proxy_buffering: true } });

describeSchema(proxyBufferingSchema, {
  defaults: [{}, { disable_proxy_buffering: false }],
  accepts: [{ disable_proxy_buffering: true }],
  refuses: [[{ disable_proxy_buffering: 1 }, "disable_proxy_buffering"]],
});

describe("proxy-buffering", () => {
  it.each([true, false])("with %s the first bytes of an answer are there before its end", async (isDisabled) => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const { createServer } = await import("node:http");
    const upstream = createServer((_request, response) => {
      response.write("first ");
      void ended.then(() => response.end("last"));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => upstream.once("listening", resolve));
    const address = upstream.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const plugins = { "proxy-buffering": { disable_proxy_buffering: isDisabled } };
    const routes = { 1: { uri: "/*", plugins, upstream: { nodes: { [`127.0.0.1:${port}`]: 1 } } } };
    await using gateway = await gatewayWith(proxyBuffering, {}, { routes });
    const answer = await fetch(`http://127.0.0.1:${gateway.portOf()}/`);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe("first ");
    end();
    expect((await reader?.read())?.value).toBe("last");
    upstream.closeAllConnections();
    upstream.close();
  });
});
