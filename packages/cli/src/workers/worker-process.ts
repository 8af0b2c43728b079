import type { Environment } from "../config/environment.ts";
import type { ExitCode } from "../exit-codes.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { runWorker } from "./worker-main.ts";

/**
 * Serves as a worker of the process that forked this one. When that one ends, node:cluster ends this one at once:
 * the listening sockets went with it.
 */
export function serveAsWorker(environment: Environment, exitNow: (code: ExitCode) => void): void {
  const send = (message: FromWorker, sent?: () => void): void => {
    // Nobody hears it when the primary is gone.
    process.send?.(message, undefined, undefined, () => sent?.());
  };
  runWorker({
    environment,
    send,
    onMessage: (listener) => process.on("message", (message: ToWorker) => listener(message)),
    onSignal: (signal, listener) => process.on(signal, listener),
    // Messages leave in order, so everything said before has left by then.
    exit: (code) => send({ type: "bye" }, () => exitNow(code)),
  });
}
