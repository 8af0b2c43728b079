import type { Clock, HttpClient } from "@fngate/kernel";

/** How long a manager may take for one answer, in milliseconds. Source: APISIX, secret manager vault. */
export const TIMEOUT_MS = 5_000;

/** What a secret manager says: a value, or why there is none, in words without secrets. */
export type SecretAnswer =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: string };

/** A place that keeps secrets, with the settings to reach it. */
export interface SecretManager {
  /** What is kept under a key, which each kind of manager reads in its own way. Never rejects. */
  read(key: string): Promise<SecretAnswer>;
}

/** What managers work with. */
export interface ManagerTools {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** What a setting that is itself a reference to the environment stands for. */
  readonly resolveText: (text: string) => string;
}

/** A refusal. */
export function noSecret(reason: string): SecretAnswer {
  return { ok: false, reason };
}

/** One member of an object, as text; `manager` is named in the refusal. */
export function memberOf(data: unknown, member: string, manager: string): SecretAnswer {
  const value =
    typeof data === "object" && data !== null && Object.hasOwn(data, member) ? Reflect.get(data, member) : undefined;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { ok: true, value: String(value) };
  }
  return noSecret(`${manager} has no such member`);
}

/** A JSON answer, or undefined when it is none. */
export function parseJson(body: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
