import { Agent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { expect, it } from "vitest";
import { createCertificates } from "./certificates.ts";
import { startEchoUpstream } from "./echo-upstream.ts";
import { eventually } from "./eventually.ts";

it("records a request as it came and answers with it by default", async () => {
  await using upstream = await startEchoUpstream();
  const answer = await fetch(`${upstream.origin}/a%20b?c=d`, {
    method: "POST",
    headers: { "X-Case": "1" },
    body: "hi",
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ method: "POST", url: "/a%20b?c=d", body: "hi" });
  const recorded = await upstream.request();
  expect(recorded.rawHeaders).toContain("X-Case");
  expect(recorded.headers["x-case"]).toBe("1");
  expect(recorded.body.toString()).toBe("hi");
});

it("answers what it is told, per request, with repeated headers", async () => {
  await using upstream = await startEchoUpstream({
    reply: { status: 201, headers: ["X-A", "1", "X-A", "2"], body: "made" },
  });
  const answer = await fetch(upstream.origin);
  expect([answer.status, answer.headers.get("x-a"), await answer.text()]).toEqual([201, "1, 2", "made"]);
  upstream.replyWith(({ url }) => ({ status: url === "/no" ? 404 : 204, headers: { "x-b": ["1", "2"] }, body: "" }));
  const statuses = await Promise.all(["/no", "/yes"].map(async (path) => (await fetch(upstream.origin + path)).status));
  expect(statuses).toEqual([404, 204]);
});

it("streams chunks as they come", async () => {
  const gate = Promise.withResolvers<void>();
  async function* chunks() {
    yield "first";
    await gate.promise;
    yield "second";
  }
  await using upstream = await startEchoUpstream({ reply: { chunks: chunks() } });
  const reader = (await fetch(upstream.origin)).body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toBe("first");
  gate.resolve();
  expect((await reader?.read())?.value).toBe("second");
  expect((await reader?.read())?.done).toBe(true);
});

it.each(["before-head", "after-head", "after-chunks"] as const)("resets a connection %s", async (reset) => {
  await using upstream = await startEchoUpstream({ reply: { reset, chunks: ["part"] } });
  const answer = fetch(upstream.origin);
  if (reset === "before-head") await expect(answer).rejects.toThrow("fetch failed");
  else await expect((await answer).text()).rejects.toThrow("terminated");
  expect(upstream.aborted).toBe(0);
});

it("counts callers that leave before the answer", async () => {
  await using upstream = await startEchoUpstream({ reply: { delayMs: 60_000 } });
  const abort = new AbortController();
  const answer = fetch(upstream.origin, { signal: abort.signal });
  await upstream.request();
  abort.abort();
  await expect(answer).rejects.toThrow("aborted");
  await eventually(() => upstream.aborted === 1 && upstream.openConnections === 0);
});

it("tells which requests shared a connection", async () => {
  await using upstream = await startEchoUpstream();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let count = 0; count < 2; count += 1) {
    await new Promise((resolve) => {
      httpRequest(upstream.origin, { agent }, (answer) => answer.resume().on("end", resolve)).end();
    });
  }
  expect(upstream.requests.map(({ connection }) => connection)).toEqual([1, 1]);
  agent.destroy();
});

it("serves over TLS with certificates made on the spot", async () => {
  const { ca, server } = await createCertificates();
  await using upstream = await startEchoUpstream({ tls: server });
  const status = await new Promise((resolve, reject) => {
    const options = { ca, servername: "localhost", agent: false as const };
    httpsRequest(upstream.origin, options, (answer) => answer.resume().on("end", () => resolve(answer.statusCode)))
      .on("error", reject)
      .end();
  });
  expect(status).toBe(200);
});
