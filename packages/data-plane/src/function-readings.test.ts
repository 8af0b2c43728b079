import { request as httpRequest } from "node:http";
import { HeaderList } from "@fngate/kernel";
import { type AnswerReading, definePlugin, type PluginDefinition } from "@fngate/plugin-kit";
import { type EchoReply, type EchoUpstream, eventually, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { runGateway } from "./testing/run-gateway.ts";

/** A plugin whose calls go to a function, and whose answers are made out of the function's. */
function reader({ host, port }: EchoUpstream, read: AnswerReading["read"]): PluginDefinition {
  return definePlugin({
    name: "reader",
    version: 0.1,
    priority: 1,
    schema: z.looseObject({}),
    setup(_, { connections }) {
      const timeouts = { connectMs: 1000, sendMs: 1000, readMs: 1000 };
      const keepalive = { idleConnections: 1, idleTimeoutMs: 1000 };
      const endpoint = connections.acquire({ scheme: "http", host, port, keepalive, timeouts });
      return {
        access: () => ({
          kind: "call",
          endpoint,
          method: "POST",
          target: "/call",
          headers: new HeaderList(["host", "function"]),
          maxBodyBytes: 100,
          bodyTooLargeStatus: 413,
          failureStatus: 504,
          reading: { maxBytes: 10, read },
        }),
        dispose: () => endpoint.release(),
      };
    },
  });
}

const greet: AnswerReading["read"] = (status, body) =>
  body.length === 0 ? undefined : { kind: "reply", status: status + 1, body: `made of ${Buffer.from(body)}` };

const gatewayTo = (target: EchoUpstream, read = greet) =>
  runGateway({ plugins: [reader(target, read)], routes: { 1: { uri: "/*", plugins: { reader: {} } } } });

/** What the client gets when the function answers so. */
async function answerTo(reply: EchoReply, read = greet) {
  await using target = await startEchoUpstream({ reply });
  await using gateway = await gatewayTo(target, read);
  const answer = await gateway.send("/", { method: "POST", body: "body" });
  expect(String(target.requests[0]?.body)).toBe("body");
  return answer;
}

describe("a call whose answer is read", () => {
  test("answers with what was made of the function's status and whole body, and none of its fields", async () => {
    const answer = await answerTo({ headers: { "x-function": "1" }, chunks: ["01234", "56789"] });
    expect(answer).toMatchObject({ status: 201, body: "made of 0123456789" });
    expect(answer.headers).not.toHaveProperty("x-function");
  });

  test.each<[string, EchoReply]>([
    ["is larger than what is taken", { body: "0123456789a" }],
    ["is larger, in pieces", { chunks: ["0123456789", "a"] }],
    ["cannot be read", { body: "" }],
    ["breaks off", { chunks: ["01"], reset: "after-chunks" }],
    ["never comes", { reset: "before-head" }],
  ])("fails as the call says when the answer %s", async (_, reply) => {
    expect((await answerTo(reply)).status).toBe(504);
  });

  test("gives up a function that goes on beyond what is taken", async () => {
    async function* endless() {
      for (;;) yield await Promise.resolve("0123456789");
    }
    await using target = await startEchoUpstream({ reply: { chunks: endless() } });
    await using gateway = await gatewayTo(target);
    expect((await gateway.get("/")).status).toBe(504);
    await eventually(() => target.openConnections === 0);
  });

  test("ends with 500 when the reading throws", async () => {
    const answer = await answerTo({ body: "x" }, () => {
      throw new Error("broken");
    });
    expect(answer.status).toBe(500);
  });

  test("is given up when the client goes", async () => {
    await using target = await startEchoUpstream({ reply: { delayMs: 60_000 } });
    await using gateway = await gatewayTo(target);
    const sent = httpRequest({ host: "127.0.0.1", port: gateway.portOf(), path: "/" }).on("error", () => {});
    sent.end();
    await target.request();
    sent.destroy();
    await eventually(() => target.aborted === 1);
  });
});
