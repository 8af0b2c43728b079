import { readdir, readFile } from "node:fs/promises";
import { registry } from "@fngate/schema";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AdminHarness, catalogOf, VIEWER_KEY } from "./testing/admin-harness.ts";
import { basicAuth, clickLogger, grpcTranscode, keyAuth, trafficSplit } from "./testing/plugins.ts";

/** One bad request of `testing/refusals`, and what APISIX answers. */
interface Refusal {
  /** Requests before it, which have to succeed. */
  readonly given?: readonly (readonly [request: string, body?: unknown])[];
  /** Method and path below `/apisix/admin`. */
  readonly request: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly text?: string;
  /** Admin key; null: none, absent: the administrator's. */
  readonly key?: string | null;
  readonly status: number;
  /** The whole answer when it has but an `error_msg`. */
  readonly error_msg?: string;
  /** The whole answer. */
  readonly answer?: unknown;
  /** The whole answer when it is no JSON. */
  readonly plain?: string;
}

const FOLDER = new URL("./testing/refusals/", import.meta.url);
const files = (await readdir(FOLDER)).toSorted();
const tables = await Promise.all(
  files.map(async (file) => {
    const refusals = JSON.parse(await readFile(new URL(file, FOLDER), "utf8")) as readonly Refusal[];
    return { table: file.replace(".json", ""), refusals };
  }),
);

let admin: AdminHarness;
beforeAll(async () => {
  const catalog = catalogOf(keyAuth, basicAuth, trafficSplit, grpcTranscode, clickLogger);
  admin = await AdminHarness.start({ catalog, isStreamEnabled: true });
});
afterAll(() => admin[Symbol.asyncDispose]());
beforeEach(async () => {
  const { entries } = await admin.store.list("/apisix/");
  for (const { key } of entries) if (!key.endsWith("/")) await admin.store.delete(key);
});

async function send({ request, body, text, key }: Refusal) {
  const [method = "", path = ""] = request.split(" ");
  const headers = typeof key === "string" ? { "X-API-KEY": key === "viewer" ? VIEWER_KEY : key } : {};
  const {
    status,
    json,
    text: plain,
  } = await admin.call(method, path, {
    body: text ?? body,
    headers,
    isAnonymous: key === null,
  });
  return { status, answer: json ?? plain };
}

describe.each(tables)("bad requests of the table $table", ({ refusals }) => {
  it.each(refusals)("$request $body $text → $status $error_msg", async (refusal) => {
    for (const [request, body] of refusal.given ?? []) {
      expect((await send({ request, body, status: 0 })).status, request).toBeLessThan(300);
    }
    const stored = await admin.store.list("/apisix/");
    const { status, error_msg, answer, plain } = refusal;
    expect(await send(refusal)).toEqual({ status, answer: answer ?? plain ?? { error_msg } });
    expect((await admin.store.list("/apisix/")).entries).toEqual(stored.entries);
  });
});

it("are answered in APISIX's words for every kind, in more than 400 cases", () => {
  const names = registry.all().map(({ kind }) => kind.replaceAll("_", "-"));
  expect(tables.map(({ table }) => table).toSorted()).toEqual([...names, "requests"].toSorted());
  expect(tables.flatMap(({ refusals }) => refusals).length).toBeGreaterThan(400);
});
