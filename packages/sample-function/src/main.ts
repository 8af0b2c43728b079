/**
 * The sample function as a process of its own: `main --port 3233 --host 127.0.0.1`.
 *
 * The framework's own command listens on every address, so its server is taken from its programmatic interface and
 * bound here. Defaults: port from the variable `PORT` (the contract of function run times), else 3233; host from
 * `HOST`, else loopback only.
 */
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { TARGET } from "./hello.ts";
import type { SampleMessage } from "./messages.ts";

// biome-ignore lint/style/noProcessEnv: function run times hand the port over in PORT, and this is a process of its own
const { PORT = "3233", HOST = "127.0.0.1" } = process.env;
const { values } = parseArgs({
  options: { port: { type: "string", default: PORT }, host: { type: "string", default: HOST } },
});
const server = getTestServer(TARGET);

server.once("error", (error) => {
  announce({ event: "failed", reason: error.message });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
});
server.listen(Number(values.port), values.host, () => {
  const { address, port } = server.address() as AddressInfo;
  announce({ event: "listening", host: address, port });
});

process.once("SIGTERM", stop);
if (process.send === undefined) process.once("SIGINT", stop);
else {
  // Ctrl-C reaches the whole group; the gateway drains first and lets this process go by closing the channel.
  process.on("SIGINT", () => {});
  process.once("disconnect", stop);
}

function announce(message: SampleMessage): void {
  if (process.send !== undefined) process.send(message);
  else process.stdout.write(`${JSON.stringify(message)}\n`);
}

function stop(): void {
  server.close();
  server.closeIdleConnections();
  if (process.connected) process.disconnect();
}
