import { describe, expect, it } from "vitest";
import { configSchema } from "../config/schema.ts";
import { createSettings, type Settings } from "../config/settings.ts";
import { reloadedSettings } from "./reloaded-settings.ts";

/** Settings of a file in role `traditional` with its own store, or in another role. */
function settingsOf(file: object, role = "traditional"): Settings {
  const provider = role === "traditional" ? "embedded" : "etcd";
  const deployment = { role, [`role_${role}`]: { config_provider: provider }, ...Object(file).deployment };
  return createSettings(configSchema.parse({ ...file, deployment }), "/work");
}

describe("settings that were read again", () => {
  it("are in force but for those of the primary process, which are named", () => {
    const running = settingsOf({ nginx_config: { worker_processes: 2 } });
    const read = settingsOf({
      apisix: { node_listen: 9999, status: { port: 1 }, data_encryption: { keyring: ["0123456789abcdef"] } },
      nginx_config: { worker_processes: 3, worker_shutdown_timeout: "1s", http: { keepalive_timeout: "5s" } },
      plugins: ["cors", "prometheus"],
    });
    const { settings, waiting } = reloadedSettings(running, read);
    expect(waiting).toEqual([
      ...["nginx_config.worker_shutdown_timeout", "nginx_config.worker_processes", "apisix.data_encryption"],
      ...["apisix.data_encryption.keyring", "plugins", "apisix.status"],
    ]);
    expect(settings).toMatchObject({ workers: 2, keyring: running.keyring, plugins: undefined });
    expect(settings.proxy).toMatchObject({ status: undefined, clientLimits: { keepAliveTimeoutMs: 5_000 } });
    expect(settings.proxy?.listen).toEqual(read.proxy?.listen);
  });

  it("are all the workers' in a data plane, but for what the primary needs itself", () => {
    const running = settingsOf({}, "data_plane");
    const read = settingsOf(
      { plugins: ["cors", "prometheus"], deployment: { etcd: { prefix: "/other" } } },
      "data_plane",
    );
    const { settings, waiting } = reloadedSettings(running, read);
    expect(waiting).toEqual([]);
    expect(settings).toMatchObject({ plugins: ["cors", "prometheus"], prefix: "/other" });
  });

  it("are refused when they make another kind of gateway", () => {
    const running = settingsOf({});
    expect(() => reloadedSettings(running, settingsOf({}, "data_plane"))).toThrow("deployment.role");
    expect(() => reloadedSettings(running, settingsOf({ apisix: { enable_admin: false } }))).toThrow("enable_admin");
  });
});
