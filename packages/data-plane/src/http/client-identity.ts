import { isIP } from "node:net";
import type { HeaderList } from "@fngate/kernel";
import type { RealIpOptions } from "../options.ts";
import { type AddressList, compileAddressList } from "./address-list.ts";

/** In place of a field's name: what the PROXY protocol says (nginx: `real_ip_header proxy_protocol`). */
const PROXY_PROTOCOL = "proxy_protocol";

/** Decides which address counts as the client's. */
export interface ClientIdentity {
  /** The address for routing, plugins and logs; `proxied`: the one that a PROXY protocol header named. */
  addressOf(peer: string, headers: HeaderList, proxied?: string): string;
}

/**
 * Reads the client's address from a header, where the peer is believed. By default that is `X-Real-IP` from
 * 127.0.0.1, as in APISIX (`nginx_config.http.real_ip_header`, `_from`, `_recursive`).
 */
export function createClientIdentity(options: RealIpOptions = {}): ClientIdentity {
  const header = (options.header ?? "X-Real-IP").toLowerCase();
  const isProxied = header === PROXY_PROTOCOL;
  const isBelieved = compileAddressList(options.from ?? ["127.0.0.1"]);
  const isRecursive = options.recursive ?? false;
  // Whether a peer is believed does not change, and peers repeat: one remembered answer saves most parsing.
  let lastPeer = "";
  let isLastBelieved = false;
  return {
    addressOf: (peer, headers, proxied) => {
      if (peer !== lastPeer) {
        isLastBelieved = isBelieved(peer);
        lastPeer = peer;
      }
      if (!isLastBelieved) return peer;
      const value = isProxied ? proxied : headers.get(header);
      return value === undefined ? peer : (pickAddress(value, isBelieved, isRecursive) ?? peer);
    },
  };
}

/** The last address of a list; recursive: the last one that is not itself believed. */
function pickAddress(value: string, isBelieved: AddressList, isRecursive: boolean): string | undefined {
  let found: string | undefined;
  for (const part of value.split(",").reverse()) {
    const address = withoutPort(part.trim());
    if (isIP(address) === 0) break;
    found = address;
    if (!isRecursive || !isBelieved(address)) break;
  }
  return found;
}

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed;
  return /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}
