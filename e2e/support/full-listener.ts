import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { eventually } from "@fngate/test-kit";

/** Listens and then never gets to accepting: its thread sleeps for good. */
const LISTENER = `
const { parentPort } = require("node:worker_threads");
const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});`;

/** More than the system keeps waiting for such a listener. */
const CALLERS = 6;
/** How many of them the system lets in for it; all others, and whoever calls later, get no answer at all. */
const WAITING = 2;

/** An address of this machine where connections are neither accepted nor refused. */
export interface FullListener extends AsyncDisposable {
  readonly port: number;
}

/** Starts a listener whose queue is full. */
export async function startFullListener(): Promise<FullListener> {
  const worker = new Worker(LISTENER, { eval: true });
  const [port] = (await once(worker, "message")) as [number];
  let waiting = 0;
  const callers: Socket[] = Array.from({ length: CALLERS }, () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    return socket.once("connect", () => {
      waiting += 1;
    });
  });
  await eventually(() => waiting >= WAITING);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const caller of callers) caller.destroy();
      await worker.terminate();
    },
  };
}
