/**
 * The least that anything between an HTTP client and etcd costs: `node:http` and a put by etcd3 for each PUT, nothing
 * looked at. `pnpm bench:admin` compares the Admin API with it. Started with etcd's URL; sends its port.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { Etcd3 } from "etcd3";

const client = new Etcd3({ hosts: [process.argv[2] ?? ""] });

async function put(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  await client.put(`/bare${request.url}`).value(body);
  response.setHeader("Content-Type", "application/json").end(body);
}

// A put that fails ends this process, and with it the measurement.
const server = createServer((request, response) => void put(request, response));
server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
process.once("disconnect", () => process.exit());
