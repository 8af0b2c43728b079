import { isIP } from "node:net";
import { GatewayError } from "@fngate/kernel";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Tells whether an address is in a compiled list of addresses and CIDR ranges. */
export type AddressList = (address: string) => boolean;

/**
 * Compiles addresses and CIDR ranges; IPv4-mapped IPv6 addresses count as IPv4.
 * Raises `CONFIG_INVALID` for an entry that is neither.
 */
export function compileAddressList(entries: readonly string[]): AddressList {
  const ranges = entries.map(parseRange);
  if (ranges.length === 0) return () => false;
  return (address) => {
    if (isIP(address) === 0) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
  };
}

/** Without the IPv6 notation that a dual-stack socket gives IPv4 peers. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

function parseRange(entry: string): [Address, number] {
  try {
    if (entry.includes("/")) return ipaddr.parseCIDR(entry);
    const address = ipaddr.process(entry);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch (error) {
    throw new GatewayError("CONFIG_INVALID", `not an address or CIDR range: "${entry}"`, { cause: error });
  }
}
