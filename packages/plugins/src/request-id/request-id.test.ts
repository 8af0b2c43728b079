import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { requestId } from "./index.ts";

describePlugin(requestId, { folder: import.meta.dirname, config: {} });

function startWith(config: Readonly<Record<string, unknown>> = {}) {
  return runGateway({ plugins: [requestId], routes: { 1: { uri: "/*", plugins: { "request-id": config } } } });
}

describe("request-id", () => {
  it.each([
    { algorithm: "uuid", looks: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/ },
    { algorithm: "uuidv7", looks: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/ },
    { algorithm: "nanoid", looks: /^[\w-]{21}$/ },
    { algorithm: "range_id", looks: /^[A-Za-z0-9]{16}$/ },
    { algorithm: "ksuid", looks: /^[0-9A-Za-z]{27}$/ },
  ])("gives upstream and client the same $algorithm", async ({ algorithm, looks }) => {
    await using gateway = await startWith({ algorithm });
    const { headers } = await gateway.get("/");
    expect(headers["x-request-id"]).toMatch(looks);
    expect((await gateway.upstream.request()).headers["x-request-id"]).toBe(headers["x-request-id"]);
  });

  it("gives every request another one", async () => {
    await using gateway = await startWith();
    const [one, other] = [await gateway.get("/"), await gateway.get("/")];
    expect(one.headers["x-request-id"]).not.toBe(other.headers["x-request-id"]);
  });

  it("keeps what the client sent, unless that is empty", async () => {
    await using gateway = await startWith({ header_name: "X-Id" });
    expect((await gateway.get("/", { "x-id": "mine" })).headers["x-id"]).toBe("mine");
    expect((await gateway.get("/", { "x-id": "" })).headers["x-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("keeps it from the client when told to", async () => {
    await using gateway = await startWith({ include_in_response: false });
    expect((await gateway.get("/")).headers["x-request-id"]).toBeUndefined();
    expect((await gateway.upstream.request()).headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("makes identifiers of the characters and length that are configured", async () => {
    await using gateway = await startWith({ algorithm: "range_id", range_id: { length: 30, char_set: "abcdef" } });
    expect((await gateway.get("/")).headers["x-request-id"]).toMatch(/^[a-f]{30}$/);
  });
});
