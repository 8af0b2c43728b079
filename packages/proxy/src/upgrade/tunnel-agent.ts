import type { Duplex } from "node:stream";
import { http } from "@fngate/kernel";
import { connectSocket } from "../http/connect-socket.ts";
import type { PooledEndpoint } from "../http/pooled-endpoint.ts";

/** Opens the connection of one tunnel as exchanges open theirs: same deadline, same TLS, same failures. */
export class TunnelAgent extends http.Agent {
  readonly #endpoint: PooledEndpoint;

  constructor(endpoint: PooledEndpoint) {
    super({ keepAlive: false });
    this.#endpoint = endpoint;
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const { pool, timeouts } = this.#endpoint;
    const { target, secureContext, session } = pool;
    const options = { target, timeoutMs: timeouts.connectMs, secureContext, session };
    const opened = connectSocket(options, (error) => callback?.(error, opened));
    return undefined;
  }
}
