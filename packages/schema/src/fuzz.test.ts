import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkValue } from "./check-value.ts";
import { createKeyring, decryptFields, encryptFields } from "./encryption.ts";
import { checkPlugins } from "./plugin-check.ts";
import { registry } from "./resources/index.ts";

const RUNS = { numRuns: 150 };

/** JSON as a client may send it, keys of all sorts included. */
const anyJson = fc.jsonValue({ maxDepth: 5 });

const words = fc.constantFrom("a", "", "*", "$env://X", "http", "GET", "chash", "roundrobin", "x y", "/a", "1.2.3.4");
const scalar = fc.oneof(words, fc.integer({ min: -2, max: 70_000 }), fc.double(), fc.boolean(), fc.constant(null));
const small = fc.oneof(
  { weight: 3, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("a", "active", "connect", "127.0.0.1:80", "host", "nodes", "__proto__"), scalar, {
    maxKeys: 3,
  }),
);

/** Objects made of a kind's own property names, so that many get past the first check. */
function objectOf(kind: "route" | "service" | "upstream" | "ssl" | "stream_route") {
  const names = Object.keys(z.toJSONSchema(registry.byKind(kind).schema, { unrepresentable: "any" }).properties ?? {});
  return fc.dictionary(fc.constantFrom(...names), small, { maxKeys: 6 });
}

const validRoute = fc.record(
  {
    uri: fc.constantFrom("/a", "/a/*", "$env://URI"),
    plugins: fc.constantFrom({}, [], { x: {} }),
    priority: fc.integer(),
    methods: fc.uniqueArray(fc.constantFrom("GET", "POST", "PURGE")),
    labels: fc.dictionary(
      // Refused wherever it stands; tested beside the schema.
      fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
      fc.constantFrom("v", "$secret://a"),
    ),
    upstream: fc.record(
      {
        nodes: fc.oneof(
          fc.dictionary(fc.constantFrom("a:80", "b"), fc.nat()),
          fc.array(fc.record({ host: fc.constantFrom("a", "[::1]"), weight: fc.nat(), metadata: fc.constant([]) })),
        ),
        retries: fc.nat(),
        keepalive_pool: fc.constantFrom({}, [], { size: 1 }),
        checks: fc.constantFrom({ active: {} }, { active: { healthy: [] }, passive: { unhealthy: {} } }),
      },
      { requiredKeys: ["nodes"] },
    ),
  },
  { requiredKeys: ["uri", "plugins"] },
);

describe("any input", () => {
  it.each(registry.all().map(({ kind, schema }) => [kind, schema] as const))(
    "makes %s answer with a value or a message, never throw",
    (_kind, schema) => {
      fc.assert(
        fc.property(anyJson, (value) => {
          const result = checkValue(schema, value);
          expect(result.ok || result.message.length > 0).toBe(true);
        }),
        RUNS,
      );
    },
  );

  it.each(["route", "service", "upstream", "ssl", "stream_route"] as const)(
    "made of the properties of %s passes every check without an exception",
    (kind) => {
      const { schema, precheck, check } = registry.byKind(kind);
      fc.assert(
        fc.property(objectOf(kind), (value) => {
          precheck?.(value);
          const result = checkValue(schema, value);
          if (result.ok) check?.(result.value as never);
          else expect(result.message).not.toMatch(/undefined|\[object Object\]|Invalid/);
        }),
        { numRuns: 500 },
      );
    },
  );

  it("leaves Object.prototype alone and is not changed", () => {
    const before = Reflect.ownKeys(Object.prototype);
    fc.assert(
      fc.property(objectOf("route"), (value) => {
        const copy = structuredClone(value);
        checkValue(registry.byKind("route").schema, value);
        expect(JSON.stringify(value)).toBe(JSON.stringify(copy));
      }),
      RUNS,
    );
    expect(Reflect.ownKeys(Object.prototype)).toEqual(before);
  });

  it("makes checkPlugins answer or accept, never throw", () => {
    const catalog = new Map([["x", { schema: z.looseObject({ a: z.int().min(1).default(1) }) }]]);
    fc.assert(
      fc.property(
        fc.oneof(anyJson, fc.record({ x: anyJson }), fc.record({ x: fc.record({ _meta: anyJson }) })),
        (plugins) => {
          const problem = checkPlugins(plugins, { catalog, which: "main" });
          expect(problem === undefined || problem.length > 0).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("an accepted route", () => {
  it("parses to the same value again", () => {
    const { schema } = registry.byKind("route");
    fc.assert(
      fc.property(validRoute, (value) => {
        const first = checkValue(schema, value);
        if (!first.ok) throw new Error(first.message);
        expect(checkValue(schema, first.value)).toEqual(first);
      }),
      { numRuns: 300 },
    );
  });
});

describe("encryption of fields", () => {
  it("is undone by decryption for any value", () => {
    const keyring = createKeyring(["0123456789abcdef"]);
    const paths = ["a", "b.c", "b.d.e"];
    const shape = fc.record({ a: anyJson, b: fc.record({ c: anyJson, d: fc.array(fc.record({ e: fc.string() })) }) });
    fc.assert(
      fc.property(shape, (value) => {
        expect(decryptFields(encryptFields(value, paths, keyring), paths, keyring)).toEqual(value);
      }),
      RUNS,
    );
  });
});
