import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { createAllowList } from "./allow-list.ts";

/** Tells the address a request is from; empty for the peer of a unix socket that names nobody else. */
export type PeerReader = (request: IncomingMessage) => string;

/** Processes of this machine; a unix socket's peer, which has no address, is one too. */
const HERE = ["127.0.0.0/8", "::1"];

/**
 * Builds the reader of a request's address: the TCP peer's, or what a believed peer says in `X-Real-IP` (APISIX:
 * `real_ip_from`, whose defaults are 127.0.0.1 and unix sockets). That is how a data plane passes its client's address
 * on. Peers of this machine are always believed, `believed` adds others. Raises `CONFIG_INVALID` for what is no
 * address or CIDR block.
 */
export function createPeerReader(believed: readonly string[] = []): PeerReader {
  const isBelieved = createAllowList([...HERE, ...believed], "nginx_config.http.real_ip_from");
  return (request) => {
    const peer = request.socket.remoteAddress ?? "";
    const named = request.headers["x-real-ip"];
    return typeof named === "string" && isIP(named) !== 0 && isBelieved(peer) ? named : peer;
  };
}
