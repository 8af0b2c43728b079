import { type ManagerTools, memberOf, noSecret, parseJson, type SecretManager, TIMEOUT_MS } from "./secret-manager.ts";

/** Access to one Vault, as the Admin API stores it. */
export interface VaultConfig {
  /** Origin, e.g. `https://vault:8200`. */
  readonly uri: string;
  /** Mount and path that keys start with. */
  readonly prefix: string;
  /** May be a reference to the environment. */
  readonly token: string;
  readonly namespace?: string | undefined;
}

/**
 * Vault's KV engine, version 1: the last segment of a key is the member, what is before it the path of the entry.
 * Source: APISIX, secret manager vault.
 */
export function vaultManager(config: VaultConfig, { http, resolveText }: ManagerTools): SecretManager {
  const { namespace, prefix, token, uri } = config;
  const origin = uri.replace(/\/+$/, "");
  const scope = namespace === undefined ? [] : ["x-vault-namespace", namespace];
  return {
    read: async (key) => {
      const slash = key.lastIndexOf("/");
      const [path, member] = [key.slice(0, Math.max(slash, 0)), key.slice(slash + 1)];
      if (path === "" || member === "") return noSecret("its key needs a path and a member");
      const segments = `v1/${prefix}/${path}`.split("/").filter((segment) => segment !== "");
      if (segments.some((segment) => segment === "." || segment === "..")) {
        return noSecret("its key leads out of the prefix");
      }
      try {
        const answer = await http.call({
          method: "GET",
          url: `${origin}/${segments.map(encodeURIComponent).join("/")}`,
          headers: ["x-vault-token", resolveText(token), ...scope],
          timeoutMs: TIMEOUT_MS,
        });
        if (answer.status !== 200) return noSecret(`vault answered ${answer.status}`);
        return memberOf(Object(parseJson(answer.body)).data, member, "vault");
      } catch {
        return noSecret("vault cannot be reached");
      }
    },
  };
}
