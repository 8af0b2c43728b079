import { BlockList, isIP } from "node:net";
import { GatewayError } from "@fngate/kernel";

/** Tells whether a TCP peer may speak to the Admin API; the peer of a unix socket has no address. */
export type AllowList = (remoteAddress: string | undefined) => boolean;

/**
 * Builds the check of `deployment.admin.allow_admin` (or another `key`): CIDR blocks or single addresses of both
 * families. Absent: everyone. Raises `CONFIG_INVALID` on anything else. An IPv4 peer seen through an IPv6 socket counts as IPv4.
 */
export function createAllowList(
  blocks: readonly string[] | undefined,
  key: string = "deployment.admin.allow_admin",
): AllowList {
  if (blocks === undefined) return () => true;
  const list = new BlockList();
  for (const block of blocks) addBlock(list, block, key);
  return (remoteAddress) => {
    if (remoteAddress === undefined || remoteAddress === "") return true;
    const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
    return list.check(address, familyOf(address));
  };
}

function addBlock(list: BlockList, block: string, key: string): void {
  const [address = "", bits, ...rest] = block.split("/");
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(address) === 4 ? 32 : 128));
  if (isIP(address) === 0 || !isRange || rest.length > 0) {
    throw new GatewayError("CONFIG_INVALID", `${key}: "${block}" is not an address or CIDR block`);
  }
  if (bits === undefined) list.addAddress(address, familyOf(address));
  else list.addSubnet(address, Number(bits), familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
