import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** The functions that the process offers. */
export type FunctionName = "echo" | "body" | "slow" | "stream" | "failing";

/** A running process of functions on the functions framework. */
export interface Functions extends AsyncDisposable {
  /** `http://127.0.0.1:port` of a function. */
  uri(name: FunctionName): string;
}

/** Starts the process of `functions-main.ts` and resolves when every function listens. */
export async function startFunctions(): Promise<Functions> {
  const child = fork(join(import.meta.dirname, "functions-main.ts"), [], { execArgv: [], silent: true });
  let output = "";
  child.stderr?.on("data", (text: Buffer) => {
    output += text.toString();
  });
  child.stdout?.resume();
  const [ports] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new Error(`the functions ended before they listened: ${output}`);
    }),
  ]);
  const portOf = new Map(Object.entries(Object(ports)));
  return {
    uri: (name) => `http://127.0.0.1:${String(portOf.get(name))}`,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}
