import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isGatewayError } from "@fngate/kernel";
import { tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import type { Environment } from "./environment.ts";
import { type Flags, type LoadedConfig, loadConfig } from "./load.ts";
import { printConfig } from "./print.ts";

interface Given {
  readonly environment?: Environment;
  readonly flags?: Flags;
}

async function load(yaml: string, { environment = {}, flags = {} }: Given = {}): Promise<LoadedConfig> {
  await using directory = await tempDirectory();
  const file = join(directory.path, "config.yaml");
  await writeFile(file, yaml);
  const loaded = await loadConfig({ file, environment, flags });
  return { ...loaded, warnings: loaded.warnings.map((text) => text.replaceAll(file, "config.yaml")) };
}

/** What is wrong with a configuration, file names shortened. */
async function problems(yaml: string, given: Given = {}): Promise<readonly string[]> {
  try {
    await load(yaml, given);
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    const found = error.details["problems"] ?? [error.message];
    return (Array.isArray(found) ? found : []).map((text) =>
      String(text).replace(/\S+config\.yaml/g, (path) => (path.startsWith("(") ? "(config.yaml" : "config.yaml")),
    );
  }
  throw new Error("the configuration was accepted");
}

describe("loadConfig", () => {
  it("takes pure defaults from an empty or comment-only file", async () => {
    for (const yaml of ["", "# nothing\n"]) {
      const { config, warnings } = await load(yaml);
      expect(config.deployment?.role).toBe("traditional");
      expect(config.deployment?.etcd?.host).toEqual(["http://127.0.0.1:2379"]);
      expect(warnings).toEqual([]);
    }
  });

  it("merges maps, replaces lists and lets null remove a default", async () => {
    const { config } = await load(`
deployment:
  admin: { allow_admin: ~, admin_listen: { port: 9999 } }
  etcd: { host: ["http://a:1", "http://b:2"] }
`);
    expect(config.deployment?.admin?.allow_admin).toBeUndefined();
    expect(config.deployment?.admin?.admin_listen).toEqual({ ip: "127.0.0.1", port: 9999 });
    expect(config.deployment?.etcd?.host).toEqual(["http://a:1", "http://b:2"]);
    expect(config.deployment?.etcd?.prefix).toBe("/apisix");
  });

  it("puts environment variables into values and keys, typed as APISIX types them", async () => {
    const { config } = await load(
      `
apisix: { node_listen: "\${{PORT}}", "\${{KEY_NAME}}": "\${{FLAG}}" }
deployment: { etcd: { host: ["http://\${{HOST:=etcd}}:\${{ETCD_PORT:= 2379 }}"], prefix: "\${{EMPTY}}/x" } }
`,
      { environment: { PORT: "0x10", FLAG: "true", KEY_NAME: "delete_uri_tail_slash", EMPTY: "" } },
    );
    expect(config.apisix?.node_listen).toBe(16);
    expect(config.apisix?.delete_uri_tail_slash).toBe(true);
    expect(config.deployment?.etcd).toMatchObject({ host: ["http://etcd:2379"], prefix: "/x" });
  });

  it("keeps an admin key and a password texts when the variable looks like a number", async () => {
    const { config } = await load(
      `
deployment:
  admin: { admin_key: [{ name: admin, key: "\${{K}}", role: admin }] }
  etcd: { user: root, password: "\${{P}}" }
`,
      { environment: { K: "12345", P: "1e3" } },
    );
    expect(config.deployment?.admin?.admin_key?.[0]?.key).toBe("12345");
    expect(config.deployment?.etcd?.password).toBe("1e3");
  });

  it("refuses a variable that is not set and has no default, with place and name", async () => {
    expect(await problems(`apisix:\n  node_listen: \${{NOWHERE}}\n`)).toContain(
      "apisix.node_listen: environment variable NOWHERE is not set and has no default (config.yaml:2)",
    );
  });

  it("puts flags over environment over file", async () => {
    const yaml = "deployment: { admin: { admin_listen: { ip: 127.0.0.2, port: 1 } } }\nfngate: { data_dir: of-file }\n";
    const environment = { FNGATE_ADMIN_LISTEN: "127.0.0.3:2", FNGATE_DATA_DIR: "of-environment" };

    expect((await load(yaml, { environment })).config.deployment?.admin?.admin_listen).toEqual({
      ip: "127.0.0.3",
      port: 2,
    });
    const loaded = await load(yaml, { environment, flags: { "admin-listen": "[::1]:3" } });
    expect(loaded.config.deployment?.admin?.admin_listen).toEqual({ ip: "::1", port: 3 });
    expect(loaded.origins.of(["deployment", "admin", "admin_listen", "port"])).toBe("flag --admin-listen");
    expect(loaded.origins.of(["fngate", "data_dir"])).toBe("environment variable FNGATE_DATA_DIR");
  });

  it("replaces the administrator's key by the one of the environment and keeps the others", async () => {
    const yaml = `
deployment:
  admin:
    admin_key:
      - { name: boss, key: old, role: admin }
      - { name: watcher, key: view, role: viewer }
`;
    for (const name of ["FNGATE_ADMIN_KEY", "APISIX_ADMIN_KEY"]) {
      const { config } = await load(yaml, { environment: { [name]: "fresh" } });
      expect(config.deployment?.admin?.admin_key).toEqual([
        { name: "admin", key: "fresh", role: "admin" },
        { name: "watcher", key: "view", role: "viewer" },
      ]);
    }
  });

  it("takes etcd's end points from APISIX_DEPLOYMENT_ETCD_HOST, and refuses what is no JSON list", async () => {
    const name = "APISIX_DEPLOYMENT_ETCD_HOST";
    const { config } = await load("", { environment: { [name]: '["http://x:1"]' } });
    expect(config.deployment?.etcd?.host).toEqual(["http://x:1"]);
    for (const text of ["http://x:1", '"http://x:1"']) {
      expect(await problems("", { environment: { [name]: text } })).toEqual([
        `deployment.etcd.host: expected a JSON list of URLs (environment variable ${name})`,
      ]);
    }
  });

  it.each([
    ["deployment:\n  role: boss\n", /^deployment\.role: invalid option.* \(config\.yaml:2\)$/],
    ["apisix:\n  node_listen:\n    - 70000\n", /^apisix\.node_listen\[0\]: .*65535 \(config\.yaml:3\)$/],
    ["apisix: 5\n", /^apisix: .*expected object.* \(config\.yaml:1\)$/],
    [
      "deployment:\n  admin:\n    admin_key_required: 'no'\n",
      /^deployment\.admin\.admin_key_required: .*\(config\.yaml:3\)$/,
    ],
    [
      "deployment:\n  admin:\n    admin_key:\n      - { name: a }\n",
      /^deployment\.admin\.admin_key\[0\]\.key: .*\(config\.yaml:4\)$/,
    ],
    [
      "deployment:\n  etcd: { host: [etcd:2379] }\n",
      /^deployment\.etcd\.host\[0\]: expected a URL.*\(config\.yaml:2\)$/,
    ],
    [
      "apisix: { data_encryption: { keyring: [short] } }\n",
      /^apisix\.data_encryption\.keyring\[0\]: expected a key of 16 or 32 characters/,
    ],
    ["nginx_config: { worker_shutdown_timeout: soon }\n", /^nginx_config\.worker_shutdown_timeout: expected a time/],
    ["deployment: { role_traditional: { config_provider: xds } }\n", /config_provider: invalid option/],
  ])("refuses %j with path and origin", async (yaml, expected) => {
    expect((await problems(yaml))[0]).toMatch(expected);
  });

  it("never shows a wrong secret", async () => {
    const found = await problems("apisix: { data_encryption: { keyring: [hunter2] } }\n");
    expect(found.join()).not.toContain("hunter2");
  });

  it("warns once for each key that is unknown or not supported, and takes the file", async () => {
    const { config, warnings } = await load(`
apisix:
  node_listn: 1
  ssl: { listen: [{ port: 9443, enable_http3: true }] }
  enable_reuseport: true
wasm: { plugins: [] }
whatever: { deep: 1 }
`);
    expect(config.apisix?.node_listen).toEqual([9080]);
    expect(warnings).toEqual([
      "key apisix.node_listn is unknown and has no effect; did you mean node_listen? (config.yaml:3)",
      "key apisix.ssl.listen[0].enable_http3 is not supported yet and has no effect (config.yaml:4)",
      "key apisix.enable_reuseport has no meaning outside nginx and has no effect (config.yaml:5)",
      "key wasm has no meaning outside nginx and has no effect (config.yaml:6)",
      "key whatever is unknown and has no effect (config.yaml:7)",
    ]);
  });

  it("lets no key of a file or environment variable reach an object's prototype", async () => {
    const { warnings } = await load(
      `__proto__: { polluted: 1 }\napisix: { "\${{K}}": { polluted: 1 }, constructor: { prototype: { polluted: 1 } } }\n`,
      { environment: { K: "__proto__" } },
    );
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    expect(warnings).toHaveLength(3);
  });

  it.each([
    ["apisix: [\n", /config\.yaml:\d+: /],
    ["- 1\n", /expected a map/],
    ["a: 1\na: 2\n", /config\.yaml:2: /],
  ])("refuses %j as no configuration, with the line", async (yaml, expected) => {
    expect((await problems(yaml))[0]).toMatch(expected);
  });

  it("refuses a file that is not there", async () => {
    await expect(loadConfig({ file: "/nonexistent/config.yaml", environment: {}, flags: {} })).rejects.toMatchObject({
      code: "CONFIG_UNREADABLE",
    });
  });

  it("runs the quick start without a file, but not as a data plane", async () => {
    const loaded = await loadConfig({ file: undefined, environment: {}, flags: { "no-sample-function": true } });
    expect(loaded.isQuickStart).toBe(true);
    expect(loaded.warnings).toEqual([]);
    expect(loaded.config.fngate?.sample_function?.enable).toBe(false);
    await expect(loadConfig({ file: undefined, environment: {}, flags: { role: "data_plane" } })).rejects.toMatchObject(
      {
        code: "CONFIG_INVALID",
      },
    );
  });
});

describe("printConfig", () => {
  it("shows what holds with origins, without secrets and without keys that have no effect", async () => {
    const loaded = await load(
      `
deployment:
  admin: { admin_key: [{ name: admin, key: s3cret, role: admin }] }
  etcd: { host: ["http://root:pw@etcd:2379"], user: u, password: passw0rd }
unknown: 1
`,
      { flags: { role: "control_plane" } },
    );
    const text = printConfig(loaded);

    for (const secret of ["s3cret", "passw0rd", "pw@", "qeddd145sfvddff3"]) expect(text).not.toContain(secret);
    expect(text).toContain('password: "[redacted]"');
    expect(text).toMatch(/role: control_plane # flag --role/);
    expect(text).toMatch(/prefix: \/apisix # default/);
    expect(text).not.toContain("unknown");
  });
});

describe("plugin_attr", () => {
  it("takes whatever plugins want to know, and no warning is about it", async () => {
    const { config, warnings } = await load("plugin_attr:\n  mine: { a: [{ b: c }] }\n  other: {}\n");
    expect(config.plugin_attr).toMatchObject({ mine: { a: [{ b: "c" }] }, other: {} });
    expect(warnings).toEqual([]);
  });

  it("still has to be a map for each plugin", async () => {
    expect(await problems("plugin_attr: { mine: 1 }\n")).toEqual([expect.stringContaining("plugin_attr.mine: ")]);
  });
});
