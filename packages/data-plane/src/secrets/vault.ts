import type { HttpClient } from "@fngate/kernel";

/** How long Vault may take, in milliseconds. APISIX: secret manager vault. */
const TIMEOUT_MS = 5_000;

/** Access to one Vault, as the Admin API stores it. */
export interface VaultConfig {
  /** Origin, e.g. `https://vault:8200`. */
  readonly uri: string;
  /** Mount and path that keys start with. */
  readonly prefix: string;
  readonly token: string;
  readonly namespace?: string | undefined;
}

/** What a secret manager says: a value, or why there is none, in words without secrets. */
export type SecretAnswer =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads a key of Vault's KV engine, version 1: the last segment of `key` is the member, what is before it the path of
 * the entry. Never rejects. Source: APISIX, secret manager vault.
 */
export async function readVault(http: HttpClient, config: VaultConfig, key: string): Promise<SecretAnswer> {
  const slash = key.lastIndexOf("/");
  const [path, member] = [key.slice(0, Math.max(slash, 0)), key.slice(slash + 1)];
  if (path === "" || member === "") return { ok: false, reason: "its key needs a path and a member" };
  const segments = `v1/${config.prefix}/${path}`.split("/").filter((segment) => segment !== "");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    return { ok: false, reason: "its key leads out of the prefix" };
  }
  try {
    const answer = await http.call({
      method: "GET",
      url: `${config.uri.replace(/\/+$/, "")}/${segments.map(encodeURIComponent).join("/")}`,
      headers: [
        "x-vault-token",
        config.token,
        ...(config.namespace === undefined ? [] : ["x-vault-namespace", config.namespace]),
      ],
      timeoutMs: TIMEOUT_MS,
    });
    if (answer.status !== 200) return { ok: false, reason: `vault answered ${answer.status}` };
    return memberOf(answer.body, member);
  } catch {
    return { ok: false, reason: "vault cannot be reached" };
  }
}

function memberOf(body: Uint8Array, member: string): SecretAnswer {
  const data: unknown = Object(parse(new TextDecoder().decode(body))).data;
  const value =
    typeof data === "object" && data !== null && Object.hasOwn(data, member) ? Reflect.get(data, member) : undefined;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { ok: true, value: String(value) };
  }
  return { ok: false, reason: "vault has no such member" };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
