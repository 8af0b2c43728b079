import { definePlugin } from "@fngate/plugin-kit";
import { eventually, startVault } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { z } from "zod";
import { catalogWith, startPlane } from "./testing/running-plane.ts";

/** Answers with its configuration. */
const mirror = definePlugin({
  name: "mirror",
  version: 0.1,
  priority: 10,
  schema: z.looseObject({ text: z.string() }),
  setup: ({ text }) => ({ access: () => ({ kind: "reply", status: 200, body: text }) }),
});

const route = (path: string) => ({ uri: "/x", plugins: { mirror: { text: `$secret://vault/1/${path}` } } });

test("a plugin gets what Vault has, and no request sees it before", async () => {
  await using vault = await startVault("s.token");
  vault.entries.set("kv/jack", { key: "jacks-key" });
  await using plane = await startPlane({ catalog: catalogWith(mirror) });
  await plane.put("secrets/vault/1", { uri: vault.uri, prefix: "kv", token: "s.token" });
  const statuses = new Set<string>();
  await plane.put("routes/1", route("jack/key"));
  await eventually(async () => {
    const { status, body } = await plane.send("/x");
    statuses.add(`${status} ${status === 200 ? body : ""}`);
    return status === 200;
  });
  expect([...statuses].filter((answer) => answer !== "404 ")).toEqual(["200 jacks-key"]);
  expect(plane.plane.diagnostics).toEqual([]);
  expect(vault.requests).toHaveLength(1);
  expect(JSON.stringify(plane.lines)).not.toMatch(/jacks-key|s\.token/);
});

test("a changed route keeps its old secret until the new one is there, and a refusal of Vault is told", async () => {
  await using vault = await startVault("s.token");
  vault.entries.set("kv/jack", { key: "one", other: "two" });
  await using plane = await startPlane({ catalog: catalogWith(mirror) });
  await plane.put("secrets/vault/1", { uri: vault.uri, prefix: "kv", token: "s.token" });
  await plane.put("routes/1", route("jack/key"));
  await eventually(async () => (await plane.send("/x")).body === "one");
  await plane.put("routes/1", route("jack/other"));
  const seen = new Set<string>();
  await eventually(async () => {
    const { body } = await plane.send("/x");
    seen.add(body);
    return body === "two";
  });
  expect([...seen].filter((body) => body !== "one" && body !== "two")).toEqual([]);
  await plane.put("secrets/vault/1", { uri: vault.uri, prefix: "kv", token: "wrong" });
  await eventually(async () => plane.plane.diagnostics.some(({ message }) => message.includes("vault answered 403")));
});
