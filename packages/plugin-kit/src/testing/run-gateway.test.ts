import { expect, it } from "vitest";
import { z } from "zod";
import { definePlugin } from "../plugin.ts";
import { runGateway } from "./index.ts";
import { findGateway } from "./run-gateway.ts";

const hello = definePlugin({
  name: "hello",
  version: 0.1,
  priority: 50,
  schema: z.looseObject({}),
  setup: () => ({ access: ({ request }) => request.headers.set("X-Hello", "there") }),
});

it("runs a plugin in a whole gateway, in a handful of lines", async () => {
  const routes = { 1: { uri: "/*", plugins: { hello: {} } } };
  await using gateway = await runGateway({ plugins: [hello], routes, upstream: { status: 201, body: "made" } });
  expect(await gateway.get("/x")).toMatchObject({ status: 201, body: "made" });
  expect((await gateway.upstream.request()).headers["x-hello"]).toBe("there");
});

it("says what to do where there is no gateway", async () => {
  await expect(findGateway("@fngate/not-there/testing")).rejects.toThrow(
    "there is no @fngate/not-there/testing to run a gateway with: run the test where fngate's sources are",
  );
});
