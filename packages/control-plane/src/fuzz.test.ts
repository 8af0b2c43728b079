import { checkPlugins, checkValue, registry, toJsonSchema } from "@fngate/schema";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AdminHarness } from "./testing/admin-harness.ts";

const KNOWN_NAMES = Object.keys(toJsonSchema(registry.byKind("route")).properties ?? {});
const VALID = { uri: "/f", upstream: { nodes: { "127.0.0.1:80": 1 } }, labels: { a: "b" }, methods: ["GET"] };

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start();
});
afterAll(() => admin[Symbol.asyncDispose]());

const anyJson = fc.jsonValue({ maxDepth: 4 });
const name = fc.oneof(
  fc.constantFrom(...KNOWN_NAMES),
  fc.constantFrom(
    "nodes",
    "quota",
    "_meta",
    "0",
    "__proto__",
    "constructor",
    "toString",
    "127.0.0.1:80",
    "checks",
    "tls",
  ),
  fc.string({ maxLength: 5 }),
);
const likelyValue = fc.oneof(
  anyJson,
  fc.constantFrom<unknown>(
    "",
    "/f",
    "a.b",
    "1",
    1,
    -1,
    1e21,
    0.5,
    null,
    true,
    [],
    {},
    "$env://X",
    "$secret://a/b/c",
    "\u0000",
    "😀",
  ),
  fc.dictionary(name, anyJson, { maxKeys: 3 }),
);
const object = fc.dictionary(name, likelyValue, { maxKeys: 4 });
const likelyBody = fc.oneof(
  object,
  object.map((members) => ({ ...VALID, ...members })),
  anyJson,
);
const method = fc.constantFrom("PUT", "POST", "PATCH", "DELETE", "GET");
const tail = fc
  .array(name, { maxLength: 3 })
  .map((names) => names.map((part) => `/${encodeURIComponent(part)}`).join(""));

async function assertStoreIsSound(): Promise<void> {
  for (const definition of registry.all()) {
    const { entries } = await admin.store.list(`/apisix/${definition.plural}/`);
    for (const { key, value } of entries.filter(({ key }) => !key.endsWith("/"))) {
      const object: unknown = JSON.parse(value);
      expect(key).toBe(`/apisix/${definition.plural}/${Object(object).id}`);
      expect(checkValue(definition.schema, object)).toMatchObject({ ok: true });
      const catalog = { get: () => undefined };
      expect(checkPlugins(Object(object).plugins, { catalog, which: "main", unknown: "skip" })).toBeUndefined();
    }
  }
}

async function assertClientMistakeAtMost(verb: string, path: string, body: string): Promise<void> {
  const answer = await admin.call(verb, path, { body });
  expect(answer.status, `${verb} ${path} ${body} → ${answer.text}`).toBeLessThan(500);
}

it("no JSON body in any place gives a 5xx or leaves an invalid object behind", async () => {
  await fc.assert(
    fc.asyncProperty(method, tail, likelyBody, async (verb, path, body) => {
      await admin.call("PUT", "/routes/f", { body: VALID });
      await assertClientMistakeAtMost(verb, `/routes/f${path}`, JSON.stringify(body));
      await assertClientMistakeAtMost(verb === "PATCH" ? "PUT" : verb, "/routes", JSON.stringify(body));
      await assertStoreIsSound();
      await admin.store.deletePrefix("/apisix/routes/0");
    }),
    { numRuns: 150 },
  );
});

it("no bytes as a body and no path give a 5xx", async () => {
  await fc.assert(
    fc.asyncProperty(method, fc.webPath(), fc.string({ unit: "binary", maxLength: 40 }), async (verb, path, body) => {
      await assertClientMistakeAtMost(verb, `/routes${path}`, body);
      await assertClientMistakeAtMost(verb, `//${path}`, body);
    }),
    { numRuns: 100 },
  );
});

it("no query gives a 5xx", async () => {
  const argument = fc.tuple(
    fc.constantFrom("page", "page_size", "name", "label", "uri", "filter", "ttl", "force", "subsystem", "api_key"),
    fc.string({ maxLength: 10 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(argument, { maxLength: 4 }), async (args) => {
      await assertClientMistakeAtMost("GET", `/routes?${new URLSearchParams(args)}`, "");
    }),
    { numRuns: 100 },
  );
});
