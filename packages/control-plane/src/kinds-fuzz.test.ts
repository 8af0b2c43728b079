import { checkValue, parseKey, registry, toJsonSchema } from "@fngate/schema";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AdminHarness, catalogOf } from "./testing/admin-harness.ts";
import { clickLogger, keyAuth, trafficSplit } from "./testing/plugins.ts";

const catalog = catalogOf(keyAuth, trafficSplit, clickLogger);

let admin: AdminHarness;
beforeAll(async () => {
  admin = await AdminHarness.start({ catalog, isStreamEnabled: true });
});
afterAll(() => admin[Symbol.asyncDispose]());

/** Objects that are valid but for what is mixed into them, by the URL they go to. */
const VALID: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "/consumers/f": { username: "f", plugins: { "key-auth": { key: "k" } } },
  "/consumers/f/credentials/c": { plugins: { "key-auth": { key: "c" } } },
  "/consumer_groups/f": { plugins: {} },
  "/plugin_configs/f": { plugins: { "traffic-split": {} } },
  "/global_rules/f": { plugins: { "traffic-split": { rules: [] } } },
  "/plugin_metadata/click-logger": { ikey: "i", password: "p" },
  "/ssls/f": { sni: "a.com", cert: "$env://CERT", key: "$env://KEY" },
  "/protos/f": { content: 'syntax = "proto3";' },
  "/stream_routes/f": { server_port: 1, plugins: { "click-logger": {} } },
  "/secrets/vault/f": { uri: "http://a", prefix: "p", token: "t" },
  "/services/f": { hosts: ["a.com"] },
  "/services/f/graphql_cost_decorations/f": { field_path: "Query.f" },
  "/upstreams/f": { nodes: { "127.0.0.1:80": 1 } },
  "/routes/f": { uri: "/f", upstream: { nodes: { "127.0.0.1:80": 1 } } },
};

it("has an object of every kind to start from", async () => {
  for (const [path, body] of Object.entries(VALID)) {
    expect((await admin.call("PUT", path, { body })).status, path).toBeLessThan(300);
  }
  const { entries } = await admin.store.list("/apisix/");
  const kinds = new Set(entries.map(({ key }) => parseKey("/apisix", key)?.definition.kind));
  expect(registry.all().filter(({ kind }) => !kinds.has(kind))).toEqual([]);
});

/** Fields that most kinds have, and one that only open ones take. */
const extras = fc.record(
  {
    desc: fc.string({ unit: "grapheme", maxLength: 20 }),
    name: fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
    labels: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ minLength: 1, maxLength: 5 }), { maxKeys: 3 }),
    anything: fc.jsonValue({ maxDepth: 3 }),
  },
  { requiredKeys: [] },
);

/** The part of `extra` that a kind knows; open kinds know everything. */
function known(path: string, extra: object): object {
  const definition = parseKey("/apisix", `/apisix${path}`)?.definition;
  const schema = definition === undefined ? {} : toJsonSchema(definition);
  if (schema.additionalProperties !== false) return extra;
  return Object.fromEntries(Object.entries(extra).filter(([name]) => Object.hasOwn(schema.properties ?? {}, name)));
}

it.each(Object.keys(VALID))("%s is read as it was written", async (path) => {
  await fc.assert(
    fc.asyncProperty(extras, async (extra) => {
      await admin.store.deletePrefix(`/apisix${path}`);
      const sent = { ...VALID[path], ...known(path, extra) };
      const written = await admin.call("PUT", path, { body: sent });
      const read = await admin.call("GET", path);
      expect(read.status).toBe(written.status < 300 ? 200 : 404);
      if (read.status === 404) return;
      const hidden = path.startsWith("/ssls") ? { key: undefined, keys: undefined } : {};
      expect(Object(read.json).value).toMatchObject(JSON.parse(JSON.stringify({ ...sent, ...hidden })));
    }),
    { numRuns: 25 },
  );
});

const names = registry.all().flatMap((definition) => Object.keys(toJsonSchema(definition).properties ?? {}));
const name = fc.oneof(
  fc.constantFrom(...new Set(names), "key-auth", "rules", "__proto__"),
  fc.string({ maxLength: 4 }),
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>("f", "a.com", 1, -1, null, [], {}, "$env://X", "\u0000", "-----BEGIN CERTIFICATE-----"),
  fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 }),
);
const mutation = fc.dictionary(name, value, { maxKeys: 3 });
const step = fc.record({
  method: fc.constantFrom("PUT", "PUT", "PATCH", "POST", "DELETE", "GET"),
  path: fc.constantFrom(...Object.keys(VALID)),
  tail: fc.oneof(
    fc.constant(""),
    name.map((text) => `/${encodeURIComponent(text)}`),
  ),
  body: fc.oneof(mutation, fc.jsonValue({ maxDepth: 2 })),
});

async function assertStoreIsSound(): Promise<void> {
  const { entries } = await admin.store.list("/apisix/");
  for (const { key, value: text } of entries) {
    const found = parseKey("/apisix", key);
    if (found === undefined) continue;
    const schema = found.definition.schemaFor?.(found.id, catalog) ?? found.definition.schema;
    expect(checkValue(schema, JSON.parse(text)), `${key} ${text}`).toMatchObject({ ok: true });
  }
}

it("no run of requests to any kind gives a 5xx or leaves an invalid object behind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const { method, path, tail, body } of steps) {
        const isPlain = method === "PUT" && typeof body === "object" && !Array.isArray(body);
        const sent = JSON.stringify(isPlain ? { ...VALID[path], ...body } : body);
        const answer = await admin.call(method, `${path}${tail}`, { body: sent });
        expect(answer.status, `${method} ${path}${tail} ${sent} → ${answer.text}`).toBeLessThan(500);
      }
      await assertStoreIsSound();
    }),
    { numRuns: 150 },
  );
});
