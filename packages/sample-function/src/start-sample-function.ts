import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { GatewayError, type Logger } from "@fngate/kernel";
import { isSampleMessage } from "./messages.ts";

/** Where the sample function listens and what it tells whom. */
export interface SampleFunctionOptions {
  /** 0 takes a free port. Default 3233, the port of the openfunction plugin's documentation. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly logger: Logger;
}

/** The running sample function. */
export interface SampleFunction {
  readonly host: string;
  readonly port: number;
  /** Ends the process after the running requests, by force after two seconds; may be called again. */
  stop(): Promise<void>;
}

const DEFAULT_PORT = 3233;

/** Longer than the sample's own answers take, short enough for an impatient Ctrl-C. */
const STOP_DEADLINE_MS = 2000;

/**
 * Starts the sample function in a process of its own, which keeps the framework's globals and output out of the
 * gateway, and resolves when it listens. The process ends with the one that started it.
 * @throws GatewayError LISTEN_FAILED when the port is taken or the process ends early; the message names the port.
 */
export async function startSampleFunction(options: SampleFunctionOptions): Promise<SampleFunction> {
  const { port = DEFAULT_PORT, host = "127.0.0.1", logger } = options;
  const main = join(import.meta.dirname, `main${extname(import.meta.filename)}`);
  const child = fork(main, ["--port", String(port), "--host", host], { execArgv: [], silent: true });
  relay(child.stdout, (line) => logger.debug({ line }, "the sample function wrote to its output"));
  relay(child.stderr, (line) => logger.warn({ line }, "the sample function wrote to its error output"));
  const address = await listening(child, `${host}:${port}`);
  let isStopping = false;
  child.once("exit", (code, signal) => {
    if (!isStopping) logger.warn({ code, signal }, "the sample function has ended");
  });
  return {
    ...address,
    async stop() {
      isStopping = true;
      await endProcess(child);
    },
  };
}

/** Resolves with the child's first word about its listener. */
async function listening(
  child: ChildProcess,
  wanted: string,
): Promise<{ readonly host: string; readonly port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly host: string; readonly port: number }>();
  const fail = (reason: string, cause?: unknown) =>
    reject(new GatewayError("LISTEN_FAILED", `the sample function cannot listen on ${wanted}: ${reason}`, { cause }));
  child.once("error", (error) => fail(error.message, error));
  child.once("exit", (code) => fail(`its process ended with code ${code}`));
  child.on("message", (message) => {
    if (!isSampleMessage(message)) return;
    if (message.event === "listening") resolve({ host: message.host, port: message.port });
    else fail(message.reason);
  });
  return await promise;
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  if (child.connected) child.disconnect();
  const force = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  try {
    await ended;
  } finally {
    clearTimeout(force);
  }
}

function relay(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on("line", onLine);
}
