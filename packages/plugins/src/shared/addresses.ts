import { isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";
import { z } from "zod";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Tells whether an address is in a list of addresses and ranges. */
export type AddressTest = (address: string) => boolean;

/** What APISIX's schema takes for an IPv6 range before it looks closer. */
const IPV6_RANGE = /^([a-fA-F\d]{0,4}:){1,8}(:[a-fA-F\d]{0,4}){0,8}([a-fA-F\d]{0,4})?\/\d{1,3}$/;

/** A list field of IPv4 and IPv6 addresses and CIDR ranges. */
export function addressListField() {
  return z.array(z.string().refine(looksLikeAddress, "object matches none of the required")).min(1);
}

/** Reports the first entry that only looked like an address or range, at the place of the whole configuration. */
export function checkAddresses(
  context: z.core.$RefinementCtx,
  ...lists: readonly (readonly string[] | undefined)[]
): void {
  const bad = lists.flatMap((list) => list ?? []).find((entry) => parseRange(entry) === undefined);
  if (bad !== undefined) context.addIssue({ code: "custom", message: `invalid ip address: ${bad}` });
}

/** Compiles a list of checked entries; an IPv4 address in IPv6 notation counts as IPv4. */
export function compileAddresses(entries: readonly string[]): AddressTest {
  const ranges = entries.flatMap((entry) => parseRange(entry) ?? []);
  return (address) => {
    if (isIP(address) === 0) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
  };
}

function looksLikeAddress(entry: string): boolean {
  const [, address = "", bits = ""] = /^([\d.]+)\/(\d\d?)$/.exec(entry) ?? [];
  return isIP(entry) !== 0 || (isIPv4(address) && Number(bits) <= 32) || IPV6_RANGE.test(entry);
}

/** At most one range; nothing for text that is none. */
function parseRange(entry: string): Range[] | undefined {
  try {
    if (entry.includes("/")) return [ipaddr.parseCIDR(entry)];
    const address = ipaddr.process(entry);
    return [[address, address.kind() === "ipv4" ? 32 : 128]];
  } catch {
    return undefined;
  }
}
