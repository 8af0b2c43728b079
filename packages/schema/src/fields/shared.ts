import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { isSecretReference } from "../secret-reference.ts";
import { listOf, mapOf, openObject } from "./container.ts";
import { integer } from "./integer.ts";
import type { Rule } from "./rules.ts";
import { choice, text } from "./text.ts";

const ID_PATTERN = "^[a-zA-Z0-9-_.]+$";
const HOST_PATTERN = "^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$";
const OCTET = "([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])";
const IPV4_CIDR = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}/([12]?[0-9]|3[0-2])$`);
const IPV6_CIDR = /^([a-fA-F0-9]{0,4}:){1,8}(:[a-fA-F0-9]{0,4}){0,8}([a-fA-F0-9]{0,4})?\/[0-9]{1,3}$/;

/** Id of a resource: 1 to 64 of `a-z A-Z 0-9 - _ .`, or a positive integer. */
export const id = z.union([text({ min: 1, max: 64, pattern: ID_PATTERN }), integer({ min: 1 })]);

/** Display name, 1 to 256 characters. */
const name = text({ min: 1, max: 256 });

/** Free text, at most 256 characters. */
export const desc = text({ max: 256 });

/** Value of a label: 1 to 256 characters without blanks. */
export const labelValue = text({ min: 1, max: 256, pattern: "^\\S+$" });

/** Key/value pairs. */
export const labels = mapOf(labelValue);

/** Unix seconds. */
export const timestamp = integer();

/** Host name, address or wildcard (`*`, `*.example.com`). */
export const host = text({ pattern: HOST_PATTERN });

/** Address or CIDR block of either IP version. */
export const ip = z
  .string()
  .check((context) => {
    if (isSecretReference(context.value) || isAddressOrBlock(context.value)) return;
    context.issues.push({ code: "custom", message: "object matches none of the required", input: context.value });
  })
  .meta({
    anyOf: [{ format: "ipv4" }, { pattern: IPV4_CIDR.source }, { format: "ipv6" }, { pattern: IPV6_CIDR.source }],
  });

const seconds = z.number().gt(0);

/** Timeouts towards an upstream, in seconds; all three or none. */
export const timeout = openObject({ connect: seconds, send: seconds, read: seconds });

/** HTTP method. */
export const method = choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PURGE"]);

/** Absolute URI with scheme and host. */
export const uri = text({ pattern: "^[^\\/]+:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?" });

/** PEM certificate (chain); its length alone is checked here. */
export const certificate = text({ min: 128, max: 65_536 });

/** PEM private key, or its ciphertext at rest; its length alone is checked here. */
export const privateKey = text({ min: 64, max: 65_536 });

/** Plugin configurations by name; what is inside is checked by {@link checkPlugins}. */
export const plugins = pluginsWith();

/** {@link plugins} under rules of its own, e.g. on how many there may be. */
export function pluginsWith(...rules: readonly Rule[]) {
  return mapOf(z.unknown(), ...rules);
}

/** Lua source of a plugin-like script; stored, never run. */
export const script = text({ min: 10, max: 102_400 });

/** Hosts a route or service answers to. */
export const hosts = listOf(host, { min: 1, isUnique: true });

/** An object of which nothing is known. */
export const anyObject = openObject({});

/** Fields every kind may carry beside its own. */
export const metadata = {
  id: id.optional(),
  name: name.optional(),
  desc: desc.optional(),
  labels: labels.optional(),
  create_time: timestamp.optional(),
  update_time: timestamp.optional(),
};

/** Status of a route or certificate: 1 on, 0 off; default 1. */
export const status = integer({ values: [1, 0] }).default(1);

function isAddressOrBlock(value: string): boolean {
  return isIPv4(value) || (isIPv6(value) && !value.includes("%")) || IPV4_CIDR.test(value) || IPV6_CIDR.test(value);
}
