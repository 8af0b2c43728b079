import { rename, writeFile } from "node:fs/promises";
import { eventually, startEchoUpstream, tempDirectory } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { type FngateProcess, spawnFngate, startFngate } from "../support/fngate-process.ts";
import { exchange } from "../support/raw-client.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };

const configOf = (file: string, config_provider = "yaml") => ({
  deployment: { role: "data_plane", role_data_plane: { config_provider } },
  apisix: { node_listen: [LOOPBACK], status: LOOPBACK },
  plugin_attr: { prometheus: { export_addr: LOOPBACK } },
  fngate: { standalone_file: file },
});

const statusOf = async (gateway: FngateProcess, target: string) =>
  (await exchange(gateway.address("proxy").port, { target })).status;

const logs = (gateway: FngateProcess, text: string) =>
  gateway.lines.filter((line) => JSON.stringify(line).includes(text));

it("a data plane serves from apisix.yaml and follows it, and a broken file changes nothing", async () => {
  await using directory = await tempDirectory();
  await using upstream = await startEchoUpstream();
  const file = directory.file("apisix.yaml");
  const document = (uri: string) =>
    [
      "upstreams:",
      "  - &target",
      "    id: u1",
      "    type: roundrobin",
      `    nodes: { "127.0.0.1:\${{ECHO_PORT}}": 1 }`,
      "routes:",
      `  - { id: r1, uri: ${uri}, upstream_id: u1 }`,
      "  - { id: r2, uri: /anchored, upstream: { <<: *target, id: u2 } }",
      "  - { id: r3, uri: 5 }",
      "#END",
      "",
    ].join("\n");
  await writeFile(file, document("/first"));
  const environment = { ECHO_PORT: String(upstream.port) };
  await using gateway = await startFngate(configOf(file), { environment });
  expect([await statusOf(gateway, "/first"), await statusOf(gateway, "/anchored")]).toEqual([200, 200]);
  // One bad object is left out and told of in APISIX's words; the others serve.
  expect(logs(gateway, 'property \\"uri\\" validation failed: wrong type: expected string, got number')).toHaveLength(
    1,
  );

  await writeFile(directory.file("next"), document("/second"));
  await rename(directory.file("next"), file);
  await eventually(async () => (await statusOf(gateway, "/second")) === 200);
  expect(await statusOf(gateway, "/first")).toBe(404);

  await writeFile(file, document("/third").replace("  - { id: r2", " - { id: r2"));
  await eventually(() => logs(gateway, "configuration file is not used").length > 0);
  expect(logs(gateway, "configuration file is not used")[0]?.["reason"]).toMatch(/apisix\.yaml:[78]: /);
  expect([await statusOf(gateway, "/second"), await statusOf(gateway, "/third")]).toEqual([200, 404]);

  await writeFile(file, document("/third"));
  await eventually(async () => (await statusOf(gateway, "/third")) === 200);
});

it("a data plane serves from apisix.json", async () => {
  await using directory = await tempDirectory();
  await using upstream = await startEchoUpstream();
  const file = directory.file("apisix.json");
  const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
  await writeFile(file, JSON.stringify({ routes: [{ uri: "/json", upstream: { type: "roundrobin", nodes } }] }));
  await using gateway = await startFngate(configOf(file, "json"));
  expect(await statusOf(gateway, "/json")).toBe(200);
});

it("a data plane waits, unready, for a file that is not there or not finished", async () => {
  await using directory = await tempDirectory();
  const file = directory.file("apisix.yaml");
  await using gateway = await spawnFngate(configOf(file));
  const status = await eventually(() => gateway.address("status").port, { deadlineMs: 30_000 });
  expect((await exchange(status, { target: "/status/ready" })).status).toBe(503);
  await writeFile(file, "routes: []\n");
  await eventually(() => logs(gateway, "missing valid end flag").length > 0);
  expect((await exchange(status, { target: "/status/ready" })).status).toBe(503);
  await writeFile(file, "routes: []\n#END\n");
  await gateway.ready();
});

it("a broken file keeps a data plane from starting, with its line", async () => {
  await using directory = await tempDirectory();
  const file = directory.file("apisix.yaml");
  await writeFile(file, "routes:\n  - id: 1\n   uri: /\n#END\n");
  await using gateway = await spawnFngate(configOf(file));
  expect(await gateway.exited).toMatchObject({ code: 1 });
  expect(gateway.transcript).toMatch(/apisix\.yaml:[23]: /);
});
