import { eventually, startEchoUpstream } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { ADMIN_KEY } from "../support/admin-client.ts";
import { spawnFngate } from "../support/fngate-process.ts";
import { exchange } from "../support/raw-client.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };

it("a gateway without a store serves what is put to /configs as a whole, and nothing before", async () => {
  await using upstream = await startEchoUpstream();
  await using gateway = await spawnFngate({
    deployment: {
      role: "traditional",
      role_traditional: { config_provider: "yaml" },
      admin: { admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }], admin_listen: LOOPBACK },
    },
    apisix: { node_listen: [LOOPBACK], status: LOOPBACK },
    plugin_attr: { prometheus: { export_addr: LOOPBACK } },
  });
  const status = await eventually(() => gateway.address("status").port, { deadlineMs: 30_000 });
  expect((await exchange(status, { target: "/status/ready" })).status).toBe(503);

  const configs = `http://127.0.0.1:${gateway.address("admin").port}/apisix/admin/configs`;
  const put = (document: object, digest: string) => {
    const headers = { "x-api-key": ADMIN_KEY, "x-digest": digest };
    return fetch(configs, { method: "PUT", headers, body: JSON.stringify(document) });
  };
  const statusOf = async (target: string) => (await exchange(gateway.address("proxy").port, { target })).status;
  const target = { id: "u", type: "roundrobin", nodes: { [`127.0.0.1:${upstream.port}`]: 1 } };
  const document = (uri: string) => ({ routes: [{ id: "r", uri, upstream_id: "u" }], upstreams: [target] });

  expect((await put(document("/one"), "1")).status).toBe(202);
  await gateway.ready();
  await eventually(async () => (await statusOf("/one")) === 200);

  expect((await put(document("/two"), "2")).status).toBe(202);
  await eventually(async () => (await statusOf("/two")) === 200);
  expect(await statusOf("/one")).toBe(404);

  expect((await put({ routes: [{ id: "r", uri: 5 }] }, "3")).status).toBe(400);
  expect(await statusOf("/two")).toBe(200);
  expect((await fetch(configs, { method: "HEAD", headers: { "x-api-key": ADMIN_KEY } })).headers.get("x-digest")).toBe(
    "2",
  );
});
