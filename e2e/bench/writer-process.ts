import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What a writer's process is asked to do. */
export interface WriteOrder {
  readonly writes: number;
  readonly concurrency: number;
}

/** How long it took, in milliseconds. */
export interface WriteReport {
  readonly tookMs: number;
}

/** A writer in a process of its own, so that both sides of a comparison have as much of the machine. */
export interface WriterProcess extends AsyncDisposable {
  /** Stores so many routes with so many under way at once; resolves to how many that were a second. */
  write(writes: number, concurrency: number): Promise<number>;
}

/** The server that does nothing but put, in a process of its own. */
export interface BareServer extends AsyncDisposable {
  readonly port: number;
}

/** Starts the server of `bare-server.ts` on an etcd. */
export async function startBareServer(etcdUrl: string): Promise<BareServer> {
  const child = fork(join(import.meta.dirname, "bare-server.ts"), [etcdUrl]);
  const [address] = await once(child, "message");
  return {
    port: Number(address.port),
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await once(child, "exit");
    },
  };
}

/** Starts the process of a raw writer (`target`: URL of etcd) or of one through the Admin API (`target`: its port). */
export function startWriter(kind: "raw" | "admin", target: string): WriterProcess {
  const child = fork(join(import.meta.dirname, "writer-main.ts"), [kind, target]);
  const exited = once(child, "exit");
  return {
    write: async (writes, concurrency) => {
      const order: WriteOrder = { writes, concurrency };
      const ended = exited.then(() => Promise.reject(new Error(`the ${kind} writer has ended`)));
      const reported = once(child, "message").then(([report]) => Number(report.tookMs));
      child.send(order);
      const tookMs = await Promise.race([reported, ended]);
      return (writes * 1_000) / tookMs;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
