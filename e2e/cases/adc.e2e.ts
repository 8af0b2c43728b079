import { type Certificates, createCertificates } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ADC_FIELDS,
  type AdcRequest,
  adcDeletes,
  adcId,
  adcWrites,
  type Edition,
  READS,
} from "../support/adc-requests.ts";
import { ADMIN_KEY } from "../support/admin-client.ts";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

/** The requests of APISIX's declarative command line, ADC 0.28, as recorded from it. */
describe.each(MODES)("what ADC sends (%s)", (mode) => {
  let gateway: Gateway;
  let certificates: Certificates;
  let edition: Edition;
  beforeAll(async () => {
    certificates = await createCertificates();
    gateway = await startGateway(mode);
    edition = { ...certificates.server, uris: ["/hello/*"], secondKey: "another-key" };
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  async function send({ method, path, body }: AdcRequest) {
    const response = await fetch(`http://127.0.0.1:${gateway.controlPlane.address("admin").port}/apisix/admin${path}`, {
      method,
      headers: { ...ADC_FIELDS, "X-API-KEY": ADMIN_KEY },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json: unknown = await response.json();
    return { status: response.status, server: response.headers.get("server"), json };
  }

  async function sync(groups: readonly (readonly AdcRequest[])[]): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (const group of groups) {
      const answers = await Promise.all(group.map(send));
      statuses.push(...answers.map(({ status }) => status));
    }
    return statuses;
  }

  /** Everything that ADC reads, by plural name; what is refused counts as empty. */
  async function dump(): Promise<Readonly<Record<string, readonly Record<string, unknown>[]>>> {
    const lists = await Promise.all(
      READS.map(async (plural) => {
        const { status, json } = await send({ method: "GET", path: `/${plural}` });
        const list: readonly { value: Record<string, unknown> }[] = status === 200 ? Object(json).list : [];
        return [plural, list.map(({ value }) => value)] as const;
      }),
    );
    return Object.fromEntries(lists);
  }

  /** The bodies that were sent, in the order in which lists show them. */
  function sent(plural: string): readonly unknown[] {
    const items = adcWrites(edition)
      .flat()
      .filter(({ path }) => path.startsWith(`/${plural}/`) && !path.includes("credentials"));
    return items.toSorted((left, right) => (left.path < right.path ? -1 : 1)).map(({ body }) => body);
  }

  it("is told the version it goes by, and that there are no stream routes", async () => {
    expect(await send({ method: "GET", path: "/routes" })).toMatchObject({ status: 200, server: "APISIX/3.18.0" });
    expect(await send({ method: "GET", path: "/stream_routes" })).toMatchObject({
      status: 400,
      json: { error_msg: "stream mode is disabled, can not add stream routes" },
    });
  });

  it("is validated as a whole, references left alone", async () => {
    const path = "/configs/validate";
    const none = { services: [], consumers: [], ssls: [], global_rules: [], stream_routes: [], upstreams: [] };
    const route = { id: adcId("a"), name: "a", uris: ["/a"], service_id: adcId("nowhere") };
    const valid = { ...none, routes: [route], plugin_metadata: [] };
    expect(await send({ method: "POST", path, body: valid })).toMatchObject({ status: 200, json: {} });
    const invalid = { ...valid, routes: [route, { ...route, id: adcId("b"), uris: "/a" }] };
    expect(await send({ method: "POST", path, body: invalid })).toMatchObject({
      status: 400,
      json: { errors: [{ resource_type: "routes", resource_id: adcId("b"), index: 1 }] },
    });
  });

  it("is stored, and read as it was sent", async () => {
    const statuses = await sync(adcWrites(edition));
    expect(new Set(statuses)).toEqual(new Set([201]));
    const found = await dump();
    for (const plural of ["services", "routes", "upstreams", "consumers", "global_rules"]) {
      expect(found[plural], plural).toMatchObject(sent(plural) as object[]);
    }
    expect(found["plugin_metadata"]).toEqual([{ id: "http-logger", log_format: { host: "$host" } }]);
    expect(found["ssls"]?.[0]).toMatchObject({ cert: edition.cert });
    expect(Object.keys(found["ssls"]?.[0] ?? {})).not.toContain("key");
    const { json } = await send({ method: "GET", path: "/consumers/jack/credentials" });
    const keys = Object(json).list.map(({ value }: { value: unknown }) => Object(value).plugins["key-auth"].key);
    expect(keys.toSorted()).toEqual(["another-key", "jacks-key"]);
  });

  it("is changed by a second synchronisation", async () => {
    edition = { ...edition, uris: ["/hello/*", "/hi/*"], secondKey: "third-key" };
    expect(new Set(await sync(adcWrites(edition)))).toEqual(new Set([200]));
    expect((await dump())["routes"]).toMatchObject(sent("routes") as object[]);
  });

  it("is taken away in ADC's order, without a wait between a route and its service", async () => {
    for (const request of adcDeletes()) expect(await send(request), request.path).toMatchObject({ status: 200 });
    expect((await send({ method: "GET", path: "/consumers/jack/credentials" })).status).toBe(404);
    expect(Object.values(await dump()).flat()).toEqual([]);
  });
});
