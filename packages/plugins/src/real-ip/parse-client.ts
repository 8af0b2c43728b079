import { isIP, isIPv4 } from "node:net";

/** Where a client is. */
export interface ClientAddress {
  readonly address: string;
  /** Absent when it was not named. */
  readonly port: string | undefined;
}

/** Reads `address`, `address:port` and `[address]:port`; nothing when the address or the port is none. */
export function parseClient(text: string): ClientAddress | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  if (bracketed !== null) return check(bracketed[1] ?? "", bracketed[2], 6);
  if (isIP(text) !== 0) return { address: text, port: undefined };
  const colon = text.lastIndexOf(":");
  const address = text.slice(0, Math.max(colon, 0));
  return isIPv4(address) ? check(address, text.slice(colon + 1), 4) : undefined;
}

function check(address: string, port: string | undefined, version: 4 | 6): ClientAddress | undefined {
  if (isIP(address) !== version) return undefined;
  if (port === undefined) return { address, port };
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  return number >= 1 && number <= 65_535 ? { address, port } : undefined;
}
