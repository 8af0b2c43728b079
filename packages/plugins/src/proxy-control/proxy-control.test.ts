import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describePlugin } from "@fngate/plugin-kit/testing";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { proxyControl } from "./index.ts";
import { proxyControlSchema } from "./schema.ts";

describePlugin(proxyControl, { folder: import.meta.dirname, config: { request_buffering: false } });

describeSchema(proxyControlSchema, {
  defaults: [{}, { request_buffering: true }],
  accepts: [{ request_buffering: false }],
  refuses: [[{ request_buffering: "no" }, "request_buffering"]],
});

/** A server that takes requests and hangs up. */
async function startHangingUp(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

describe("proxy-control", () => {
  it.each([
    { request_buffering: true, what: "is sent to another node", status: 200, requests: 1 },
    { request_buffering: false, what: "is final", status: 502, requests: 0 },
  ])("with request_buffering $request_buffering a request with a body whose node fails $what", async (row) => {
    await using failing = await startHangingUp();
    await using good = await startEchoUpstream();
    const nodes = [
      { host: "127.0.0.1", port: failing.port, weight: 1, priority: 1 },
      { host: "127.0.0.1", port: good.port, weight: 1 },
    ];
    const plugins = { "proxy-control": { request_buffering: row.request_buffering } };
    const routes = { 1: { uri: "/*", plugins, upstream: { nodes } } };
    await using gateway = await gatewayWith(proxyControl, {}, { routes });
    expect((await gateway.send("/", { method: "PUT", body: "short" })).status).toBe(row.status);
    expect(good.requests).toHaveLength(row.requests);
  });
});
