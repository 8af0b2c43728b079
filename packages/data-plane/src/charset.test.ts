import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { startPlane } from "./testing/running-plane.ts";

describe("the charset of text types", () => {
  test.each([
    { charset: undefined, added: "; charset=utf-8" },
    { charset: "koi8-r", added: "; charset=koi8-r" },
    { charset: false as const, added: "" },
  ])("is what the configuration says, in answers from everywhere: $charset", async ({ charset, added }) => {
    await using typed = await startEchoUpstream({ reply: { headers: { "content-type": "text/html" }, body: "a" } });
    await using untyped = await startEchoUpstream({ reply: { headers: [], body: "a" } });
    await using plane = await startPlane(charset === undefined ? {} : { charset });
    const target = (port: number) => ({ openfunction: { function_uri: `http://127.0.0.1:${port}` } });
    await plane.put("routes/1", { uri: "/upstream", upstream: { nodes: { [`127.0.0.1:${typed.port}`]: 1 } } });
    await plane.put("routes/2", { uri: "/function", plugins: target(untyped.port) });
    const shaped = { openfunction: { ...target(1).openfunction, _meta: { error_response: { message: "sorry" } } } };
    await plane.put("routes/3", { uri: "/shaped", plugins: shaped });
    await plane.put("routes/4", {
      uri: "/plugin",
      plugins: { "fault-injection": { abort: { http_status: 200, body: "a" } } },
    });
    const typeOf = async (path: string) => (await plane.send(path)).headers["content-type"];
    expect(await typeOf("/upstream")).toBe(`text/html${added}`);
    expect(await typeOf("/function")).toBe(`text/plain${added}`);
    expect(await typeOf("/shaped")).toBe(`text/plain${added}`);
    expect(await typeOf("/plugin")).toBe(`text/plain${added}`);
    expect(await typeOf("/nothing")).toBe(`text/plain${added}`);
  });
});
