import { GatewayError } from "@fngate/kernel";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

interface Range {
  readonly network: Address;
  readonly bits: number;
}

/**
 * IP addresses and CIDR ranges, compiled once. An IPv4 address written as an IPv6 one (`::ffff:10.0.0.1`) is the
 * IPv4 address, in ranges and in what is looked up.
 */
export class AddressSet {
  readonly #ranges: readonly Range[];

  /** Raises `ROUTER_PATTERN_INVALID` naming the first text that is neither an address nor a range. */
  constructor(texts: readonly string[]) {
    this.#ranges = texts.map(parseRange);
  }

  /** Tells whether the text is an address in one of the ranges; false for what is no address. */
  has(text: string): boolean {
    const address = parseClientAddress(text);
    return address !== undefined && this.#ranges.some((range) => isInside(address, range));
  }
}

function isInside(address: Address, { network, bits }: Range): boolean {
  if (address instanceof ipaddr.IPv4) return network instanceof ipaddr.IPv4 && address.match(network, bits);
  return network instanceof ipaddr.IPv6 && address.match(network, bits);
}

// Many routes may look at the address of one request: it is parsed for the first of them only.
let lastText = "";
let lastAddress: Address | undefined;

function parseClientAddress(text: string): Address | undefined {
  if (text !== lastText) {
    lastAddress = parseAddress(text);
    lastText = text;
  }
  return lastAddress;
}

function parseAddress(text: string): Address | undefined {
  const parsed = parseWritten(text);
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
}

/** Four decimal parts or IPv6: the library also reads `127.1` and octal parts, which APISIX refuses. */
function parseWritten(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined;
}

function parseRange(text: string): Range {
  const slash = text.indexOf("/");
  const network = parseWritten(slash < 0 ? text : text.slice(0, slash));
  const bits = slash < 0 ? widthOf(network) : parseBits(text.slice(slash + 1));
  if (network === undefined || bits === undefined || bits > widthOf(network)) {
    throw new GatewayError("ROUTER_PATTERN_INVALID", `invalid ip address: ${text}`, { details: { address: text } });
  }
  if (network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= 96) {
    return { network: network.toIPv4Address(), bits: bits - 96 };
  }
  return { network, bits };
}

function widthOf(network: Address | undefined): number {
  return network instanceof ipaddr.IPv6 ? 128 : 32;
}

function parseBits(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}
