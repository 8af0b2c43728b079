import { isDeepStrictEqual } from "node:util";
import { GatewayError } from "@fngate/kernel";
import type { ProxySettings, Settings } from "../config/settings.ts";

/** What workers are to run by from now on, and which keys of the file wait for a restart of the gateway. */
export interface ReloadedSettings {
  readonly settings: Settings;
  readonly waiting: readonly string[];
}

/** What the primary process itself runs by, with the keys that say so. */
const OF_PRIMARY: Partial<Record<keyof Settings, string>> = {
  dataDir: "fngate.data_dir",
  drainMs: "nginx_config.worker_shutdown_timeout",
  workers: "nginx_config.worker_processes",
  sampleFunction: "fngate.sample_function",
};

/** The same where it has the Admin API: what that writes, the workers must read. */
const OF_ADMIN: Partial<Record<keyof Settings, string>> = {
  admin: "deployment.admin",
  etcd: "deployment.etcd",
  prefix: "deployment.etcd.prefix",
  standalone: "config_provider",
  keyring: "apisix.data_encryption",
  decryptionKeys: "apisix.data_encryption.keyring",
  plugins: "plugins",
  userPlugins: "fngate.plugin_paths",
  trustedCertificate: "apisix.ssl.ssl_trusted_certificate",
};

/** Listeners beside the traffic: the primary's, too. */
const BESIDE: Partial<Record<keyof ProxySettings, string>> = {
  metrics: "plugin_attr.prometheus",
  status: "apisix.status",
  control: "apisix.control",
};

/**
 * The settings of a file that was read again, with those of the running gateway where its primary process goes by them.
 * Raises `CONFIG_INVALID` when the file makes another kind of gateway of it.
 */
export function reloadedSettings(running: Settings, read: Settings): ReloadedSettings {
  if (read.role !== running.role || read.proxy === undefined || running.proxy === undefined) {
    throw new GatewayError("CONFIG_INVALID", `deployment.role: ${read.role} needs a restart, this is ${running.role}`);
  }
  if ((read.admin === undefined) !== (running.admin === undefined)) {
    throw new GatewayError("CONFIG_INVALID", "apisix.enable_admin: a change of it needs a restart");
  }
  const keys = running.admin === undefined ? OF_PRIMARY : { ...OF_PRIMARY, ...OF_ADMIN };
  const top = withKept(running, read, keys);
  const beside = withKept(running.proxy, read.proxy, BESIDE);
  return { settings: { ...top.merged, proxy: beside.merged }, waiting: [...top.waiting, ...beside.waiting] };
}

function withKept<TSettings extends object>(
  running: TSettings,
  read: TSettings,
  keys: Partial<Record<keyof TSettings, string>>,
): { readonly merged: TSettings; readonly waiting: readonly string[] } {
  const names = Object.keys(keys) as (keyof TSettings)[];
  const changed = names.filter((name) => !isDeepStrictEqual(running[name], read[name]));
  const kept = Object.fromEntries(changed.map((name) => [name, running[name]]));
  return { merged: { ...read, ...kept }, waiting: changed.map((name) => String(keys[name])) };
}
