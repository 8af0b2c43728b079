import { readFile, writeFile } from "node:fs/promises";
import { eventually, startEchoUpstream, tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { ADMIN_KEY } from "../support/admin-client.ts";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";
import { runFngate } from "../support/run-fngate.ts";

const statusOf = async (gateway: Gateway, target: string) => (await exchange(gateway.port, { target })).status;

describe.each(MODES)("a declarative file (%s)", (mode) => {
  it("is shown, imported, served, exported and pruned, and a bad one changes nothing", async () => {
    await using directory = await tempDirectory();
    await using upstream = await startEchoUpstream();
    await using gateway = await startGateway(mode);
    const { port } = gateway.controlPlane.address("admin");
    const config = (command: string, ...flags: readonly string[]) =>
      runFngate(["config", command, "--admin", `http://127.0.0.1:${port}`, ...flags], {
        cwd: directory.path,
        environment: { FNGATE_ADMIN_KEY: ADMIN_KEY, ECHO: `127.0.0.1:${upstream.port}` },
      });
    const file = directory.file("apisix.yaml");
    const document = [
      "routes:",
      "  - { id: a, uri: /a, service_id: s }",
      "  - { id: b, uri: /b, service_id: s }",
      "services:",
      "  - { id: s, upstream_id: u }",
      "upstreams:",
      `  - { id: u, type: roundrobin, nodes: { "\${{ECHO}}": 1 } }`,
      "#END\n",
    ].join("\n");
    await writeFile(file, document);

    expect(await config("diff", "--file", file)).toMatchObject({
      code: 4,
      stdout: expect.stringContaining("+ route b"),
    });
    expect((await config("import", "--file", file)).code).toBe(1);
    expect(await config("import", "--file", file, "--yes")).toMatchObject({ code: 0, stderr: "" });
    await eventually(async () => (await statusOf(gateway, "/b")) === 200);
    expect((await config("diff", "--file", file)).code).toBe(0);

    await writeFile(file, document.replace("uri: /b", "uri: 5").replace("uri: /a", "uri: /changed"));
    const refused = await config("import", "--file", file, "--yes");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("apisix.yaml:3: route b: invalid")]);
    expect((await gateway.admin.send("GET", "/routes/a")).body).toMatchObject({ value: { uri: "/a" } });

    expect((await config("export", "--file", "exported.yaml")).code).toBe(0);
    const exported = await readFile(directory.file("exported.yaml"), "utf8");
    expect((await config("diff", "--file", "exported.yaml", "--prune")).code).toBe(0);

    await writeFile(file, exported.replace(/ {2}- id: b\n {4}uri: \/b\n(?: {4}.*\n)*/, ""));
    expect((await config("import", "--file", file, "--yes", "--prune")).code).toBe(0);
    await eventually(async () => (await statusOf(gateway, "/b")) === 404);
    expect(await statusOf(gateway, "/a")).toBe(200);
  });
});
