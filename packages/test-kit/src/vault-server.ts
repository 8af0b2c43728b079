import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A server that speaks as much of Vault's KV engine, version 1, as reading takes. */
export interface VaultServer extends AsyncDisposable {
  readonly uri: string;
  /** Members by path, e.g. `kv/jack`. */
  readonly entries: Map<string, Readonly<Record<string, unknown>>>;
  readonly requests: readonly IncomingMessage[];
}

/** Starts it; readers need `token`. */
export async function startVault(token: string): Promise<VaultServer> {
  const entries: VaultServer["entries"] = new Map();
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const data = entries.get((request.url ?? "").replace("/v1/", ""));
    const isAllowed = request.headers["x-vault-token"] === token;
    response.writeHead(isAllowed ? (data === undefined ? 404 : 200) : 403, { "Content-Type": "application/json" });
    response.end(JSON.stringify(isAllowed && data !== undefined ? { data } : { errors: [] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    uri: `http://127.0.0.1:${port}`,
    entries,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
