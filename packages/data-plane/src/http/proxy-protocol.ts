import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { ProxiedAddresses } from "./client-connection.ts";

/** A PROXY protocol header at the beginning of a connection. */
export interface ProxyHeader {
  readonly lengthBytes: number;
  /** Absent: the header names nobody (a health check of the balancer, or a kind of address that is not TCP's). */
  readonly addresses: ProxiedAddresses | undefined;
}

/** A header that is longer is refused: an address, and room for the extensions of version 2. */
export const MAX_PROXY_HEADER_BYTES = 4 * 1024;

/** Longest header of version 1 (the specification's own figure). */
const MAX_V1_BYTES = 107;

const V1_START = Buffer.from("PROXY ", "latin1");
const V2_START = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const V2_FIXED_BYTES = 16;

/**
 * Reads a header of version 1 or 2; nothing while more bytes are needed, `invalid` for anything else. Exactly the
 * header's bytes belong to it: what follows is the client's. Source: the PROXY protocol, versions 1 and 2.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | "invalid" | undefined {
  if (isStartOf(bytes, V2_START)) return bytes.length < V2_START.length ? undefined : readV2(bytes);
  if (isStartOf(bytes, V1_START)) return bytes.length < V1_START.length ? undefined : readV1(bytes);
  return "invalid";
}

function isStartOf(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readV1(bytes: Buffer): ProxyHeader | "invalid" | undefined {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf("\r\n");
  if (end < 0) return bytes.length < MAX_V1_BYTES ? undefined : "invalid";
  const lengthBytes = end + 2;
  const words = bytes.toString("latin1", 0, end).split(" ");
  if (words[1] === "UNKNOWN") return { lengthBytes, addresses: undefined };
  const [, family, sourceAddress = "", destinationAddress = "", sourcePort = "", destinationPort = ""] = words;
  const version = family === "TCP4" ? 4 : 6;
  const isSound =
    words.length === 6 &&
    (family === "TCP4" || family === "TCP6") &&
    [sourceAddress, destinationAddress].every((address) => isIP(address) === version && !address.includes("%")) &&
    [sourcePort, destinationPort].every(isPort);
  if (!isSound) return "invalid";
  const ports = { sourcePort: Number(sourcePort), destinationPort: Number(destinationPort) };
  return { lengthBytes, addresses: { sourceAddress, destinationAddress, ...ports } };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

const LOCAL = 0;
const PROXY = 1;
const TCP4 = 0x11;
const TCP6 = 0x21;

function readV2(bytes: Buffer): ProxyHeader | "invalid" | undefined {
  if (bytes.length < V2_FIXED_BYTES) return undefined;
  const command = bytes.readUInt8(12);
  const lengthBytes = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 0xf) > PROXY || lengthBytes > MAX_PROXY_HEADER_BYTES) return "invalid";
  if (bytes.length < lengthBytes) return undefined;
  if ((command & 0xf) === LOCAL) return { lengthBytes, addresses: undefined };
  return readV2Addresses(bytes.readUInt8(13), bytes.subarray(V2_FIXED_BYTES, lengthBytes), lengthBytes);
}

function readV2Addresses(family: number, content: Buffer, lengthBytes: number): ProxyHeader | "invalid" {
  if (family !== TCP4 && family !== TCP6) return { lengthBytes, addresses: undefined };
  const size = family === TCP4 ? 4 : 16;
  if (content.length < 2 * size + 4) return "invalid";
  return {
    lengthBytes,
    addresses: {
      sourceAddress: addressText(content.subarray(0, size)),
      destinationAddress: addressText(content.subarray(size, 2 * size)),
      sourcePort: content.readUInt16BE(2 * size),
      destinationPort: content.readUInt16BE(2 * size + 2),
    },
  };
}

function addressText(bytes: Buffer): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}
