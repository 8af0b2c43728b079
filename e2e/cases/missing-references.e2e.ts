import { type EchoUpstream, startEchoUpstream } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";

/** What the Admin API would refuse, as it may come from another writer or in the wrong order. */
describe("an object that names another one which is not there", () => {
  let gateway: Gateway;
  let upstream: EchoUpstream;

  beforeAll(async () => {
    upstream = await startEchoUpstream({ reply: { body: "well" } });
    gateway = await startGateway("embedded");
    const node = { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } };
    const write = (key: string, value: object) => gateway.writeRaw(key, JSON.stringify(value));
    const at = (name: string) => ({ id: name, uri: `/${name}` });
    await write("routes/plugin-config", { ...at("plugin-config"), plugin_config_id: "none", upstream: node });
    await write("routes/service", { ...at("service"), service_id: "none" });
    await write("routes/upstream", { ...at("upstream"), upstream_id: "none" });
    await write("services/loose", { id: "loose", upstream_id: "none" });
    await write("routes/service-upstream", { ...at("service-upstream"), service_id: "loose" });
    await write("routes/nothing", { ...at("nothing"), plugins: {} });
    await write("routes/consumer-group", { ...at("consumer-group"), plugins: { "key-auth": {} }, upstream: node });
    for (const [username, group] of [
      ["jack", "none"],
      ["jill", "there"],
      ["joe", undefined],
    ] as const) {
      await write(`consumers/${username}`, {
        username,
        ...(group && { group_id: group }),
        plugins: { "key-auth": { key: `key of ${username}` } },
      });
    }
    await write("consumer_groups/there", { id: "there", plugins: {} });
    await gateway.settle();
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function statusOf(path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
    const answer = await fetch(gateway.origin + path, { headers });
    await answer.arrayBuffer();
    return answer.status;
  }

  it.each([
    ["plugin-config", 503],
    ["service", 404],
    ["upstream", 502],
    ["service-upstream", 502],
    ["nothing", 503],
  ])("a route without its %s is %d", async (name, status) => {
    expect(await statusOf(`/${name}`)).toBe(status);
  });

  it("a consumer without its consumer group is 503, others of the route are served", async () => {
    const asked = (name: string) => statusOf("/consumer-group", { apikey: `key of ${name}` });
    expect(await asked("jack")).toBe(503);
    expect(await asked("jill")).toBe(200);
    expect(await asked("joe")).toBe(200);
    expect(await asked("nobody")).toBe(401);
    await gateway.writeRaw("consumer_groups/none", JSON.stringify({ id: "none", plugins: {} }));
    await gateway.settle();
    expect(await asked("jack")).toBe(200);
  });
});
