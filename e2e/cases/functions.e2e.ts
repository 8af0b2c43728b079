import { randomUUID } from "node:crypto";
import { eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Functions, startFunctions } from "../support/functions.ts";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { rawClient, requestText } from "../support/raw-client.ts";

describe.each(MODES)("functions on the functions framework (%s)", (mode) => {
  let gateway: Gateway;
  let functions: Functions;

  beforeAll(async () => {
    functions = await startFunctions();
    gateway = await startGateway(mode);
    const names = ["echo", "body", "slow", "stream", "failing"] as const;
    await gateway.route(
      Object.fromEntries(
        names.map((name) => [
          name,
          { uris: [`/${name}`, `/${name}/*`], plugins: { openfunction: { function_uri: functions.uri(name) } } },
        ]),
      ),
    );
    await gateway.route({
      impatient: {
        uri: "/impatient",
        plugins: { openfunction: { function_uri: functions.uri("slow"), timeout: 100 } },
      },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await functions[Symbol.asyncDispose]();
  });

  async function stateOf(id: string): Promise<string> {
    return (await fetch(`${functions.uri("stream")}/state/${id}`)).text();
  }

  it("see the path behind the star, the query and the headers", async () => {
    const response = await fetch(`${gateway.origin}/echo/a/b?x=1&y=two`, { headers: { "X-Test": "yes" } });
    expect(await response.json()).toMatchObject({
      method: "GET",
      path: "/a/b",
      query: { x: "1", y: "two" },
      headers: { "x-test": "yes", host: "127.0.0.1" },
    });
  });

  it("get a POST body and answer with it", async () => {
    const body = Buffer.alloc(300_000, "body of a request ");
    const response = await fetch(`${gateway.origin}/body`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body,
    });
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  it("may take their time within the timeout, and no more", async () => {
    expect(await (await fetch(`${gateway.origin}/slow?ms=200`)).text()).toBe("awake");
    expect((await fetch(`${gateway.origin}/impatient?ms=2000`)).status).toBe(503);
  });

  it("fail as themselves", async () => {
    const response = await fetch(`${gateway.origin}/failing`);
    expect(response.status).toBe(500);
    expect(response.headers.get("x-google-status")).toBe("crash");
  });

  it("stream: the first chunk arrives while the function still runs", async () => {
    const id = randomUUID();
    const response = await fetch(`${gateway.origin}/stream/start/${id}`);
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toBe("first\n");
    expect(await stateOf(id)).toBe("streaming");
    await fetch(`${functions.uri("stream")}/release/${id}`);
    const second = await reader?.read();
    expect(Buffer.from(second?.value ?? []).toString()).toBe("second\n");
    expect((await reader?.read())?.done).toBe(true);
    await eventually(async () => expect(await stateOf(id)).toBe("complete"));
  });

  it("are left alone once the client has gone", async () => {
    const id = randomUUID();
    await using client = await rawClient(gateway.port);
    client.send(requestText({ target: `/stream/start/${id}` }));
    await client.until("first");
    client.abort();
    await eventually(async () => expect(await stateOf(id)).toBe("aborted"));
  });
});
