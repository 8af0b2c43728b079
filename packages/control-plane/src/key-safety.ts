import { BlockList, isIP } from "node:net";
import { GatewayError } from "@fngate/kernel";
import type { AdminKey, AdminListen } from "./options.ts";

/** Keys that every copy of APISIX's documentation shows: the administrator's and the viewer's default. */
const WELL_KNOWN_KEYS: ReadonlySet<string> = new Set([
  "edd1c9f034335f136f87ad84b625c8f1",
  "4054f7cf07e344346cd3f287985e76a2",
]);

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

const WHAT_TO_SET = "set the environment variable FNGATE_ADMIN_KEY or the config key deployment.admin.admin_key";

/**
 * Refuses admin keys that would open the Admin API to the network: beyond loopback (127.0.0.0/8, ::1, a unix
 * socket) there must be a key, it must be required, and none may be empty or one of the well-known defaults.
 * Raises `CONFIG_INVALID` with a message that says what to set.
 */
export function assertAdminKeysAreSafe(options: {
  readonly keys: readonly AdminKey[];
  readonly isKeyRequired: boolean;
  readonly listen: AdminListen;
}): void {
  const { keys, isKeyRequired, listen } = options;
  if (isReachableOnlyFromHere(listen)) return;
  const problem = problemOf(keys, isKeyRequired);
  if (problem === undefined) return;
  throw new GatewayError(
    "CONFIG_INVALID",
    `the admin API listens on ${"host" in listen ? listen.host : ""}, beyond loopback, but ${problem}; ${WHAT_TO_SET} to a secret of your own, or listen on 127.0.0.1`,
  );
}

/** Tells whether anybody who reaches the Admin API can use it: without a key, or with one that is published. */
export function isKeyGuessable({
  keys,
  isKeyRequired,
}: {
  readonly keys: readonly AdminKey[];
  readonly isKeyRequired: boolean;
}): boolean {
  return problemOf(keys, isKeyRequired) !== undefined;
}

function problemOf(keys: readonly AdminKey[], isKeyRequired: boolean): string | undefined {
  if (!isKeyRequired) return "deployment.admin.admin_key_required is false";
  if (keys.length === 0) return "no admin key is configured";
  const empty = keys.find(({ key }) => key.trim() === "");
  if (empty !== undefined) return `the admin key "${empty.name}" is empty`;
  const wellKnown = keys.find(({ key }) => WELL_KNOWN_KEYS.has(key));
  if (wellKnown !== undefined) return `the admin key "${wellKnown.name}" is the publicly known default`;
  return undefined;
}

function isReachableOnlyFromHere(listen: AdminListen): boolean {
  if ("socketPath" in listen) return true;
  if (listen.host === "localhost") return true;
  const host = listen.host.replace(/^\[(.*)\]$/, "$1");
  const version = isIP(host);
  return version !== 0 && loopback.check(host, version === 4 ? "ipv4" : "ipv6");
}
