import cluster from "node:cluster";
import type { FromWorker, WorkerForker } from "./messages.ts";

/**
 * Forks this program again as a worker. The listening sockets are the primary's, and every worker accepts from them
 * itself: what a worker that dies has not accepted yet, another one does. Handed round by the primary (the default),
 * a connection on its way to a worker that dies would be left open and never answered.
 */
export function createClusterForker(): WorkerForker {
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ args: [], serialization: "advanced" });
  return () => {
    const worker = cluster.fork();
    // Whatever goes wrong with a worker shows in how it ends.
    worker.on("error", () => undefined);
    return {
      pid: worker.process.pid ?? 0,
      send: (message) => {
        if (worker.isConnected()) worker.send(message, () => undefined);
      },
      onMessage: (listener) => worker.on("message", (message: FromWorker) => listener(message)),
      onEnd: (listener) =>
        worker.on("exit", (code: number | null, signal: string | null) => listener({ code, signal })),
      kill: () => worker.process.kill("SIGKILL"),
    };
  };
}
