import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { eventually, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { stringify } from "yaml";

/** Where one listener of a process is bound. */
export interface ListenerAddress {
  readonly host: string;
  readonly port: number;
}

/** A structured line the process wrote to its error output. */
export type LogLine = Readonly<Record<string, unknown>>;

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What {@link startFngate} takes beside the configuration. */
export interface FngateProcessOptions {
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

const MAIN = join(import.meta.dirname, "../../packages/cli/bin/fngate.js");

/** Many tests run side by side: none may take a port that stands in the defaults, or one process per core. */
const ENVIRONMENT = {
  FNGATE_CONTROL_LISTEN: "127.0.0.1:0",
  FNGATE_TLS_LISTEN: "127.0.0.1:0",
  APISIX_WORKER_PROCESSES: "1",
};

/** Starting sources compiles them on the fly; a loaded machine needs its time. */
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;

/** A gateway process as a user starts it, with a configuration file of its own. */
export class FngateProcess implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  /** Lines that were no JSON, which no start should write. */
  readonly noise: string[] = [];
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #directory: TempDirectory;

  constructor(child: ChildProcess, directory: TempDirectory) {
    this.#child = child;
    this.#directory = directory;
    this.exited = once(child, "exit").then(([code, signal]) => ({ code, signal }));
    if (child.stderr !== null) createInterface({ input: child.stderr }).on("line", (line) => this.#take(line));
    child.stdout?.resume();
  }

  /** Where this process keeps its data, unless its configuration says otherwise. */
  get dataDirectory(): string {
    return dataDirectoryIn(this.#directory);
  }

  /** The file that it was started with. */
  get configFile(): string {
    return configFileIn(this.#directory);
  }

  /** Process id, for the system's own accounts. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Where a listener is bound; throws when this process has none of that name. */
  address(listener: string): ListenerAddress {
    const line = this.lines.find((one) => one["event"] === "listening" && one["listener"] === listener);
    if (line === undefined) throw new Error(`the process has no listener ${listener}:\n${this.transcript}`);
    return { host: String(line["host"]), port: Number(line["port"]) };
  }

  /** Everything it wrote, for messages of failed tests. */
  get transcript(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), ...this.noise].join("\n");
  }

  /** Resolves when the process says it is ready; throws what it wrote when it ends or takes too long. */
  async ready(): Promise<void> {
    await eventually(
      () => {
        if (this.lines.some((line) => line["event"] === "ready")) return true;
        if (!this.isRunning) throw new Error(`fngate ended before it was ready:\n${this.transcript}`);
        throw new Error(`fngate did not get ready:\n${this.transcript}`);
      },
      { deadlineMs: START_DEADLINE_MS },
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks the process to drain and tells how it ended; by force after ten seconds. */
  async stop(): Promise<ProcessExit> {
    if (this.isRunning) this.signal("SIGTERM");
    const force = setTimeout(() => this.signal("SIGKILL"), STOP_DEADLINE_MS);
    try {
      return await this.exited;
    } finally {
      clearTimeout(force);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#directory[Symbol.asyncDispose]();
  }

  #take(line: string): void {
    try {
      const parsed: unknown = JSON.parse(line);
      this.lines.push(Object.fromEntries(Object.entries(Object(parsed))));
    } catch {
      this.noise.push(line);
    }
  }
}

/** Starts `fngate start --config FILE` and resolves when it is ready. The data directory is a temporary one unless configured. */
export async function startFngate(
  config: Readonly<Record<string, unknown>>,
  options: FngateProcessOptions = {},
): Promise<FngateProcess> {
  const running = await spawnFngate(config, options);
  try {
    await running.ready();
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
  return running;
}

/** Like {@link startFngate} without waiting: for starts that are meant to fail. */
export async function spawnFngate(
  config: Readonly<Record<string, unknown>>,
  options: FngateProcessOptions = {},
): Promise<FngateProcess> {
  const directory = await tempDirectory();
  const file = configFileIn(directory);
  await writeFile(file, stringify(withDataDirectory(config, dataDirectoryIn(directory))));
  const child = spawn(process.execPath, ["--conditions=@fngate/source", MAIN, "start", "--config", file], {
    cwd: directory.path,
    stdio: ["ignore", "pipe", "pipe"],
    // biome-ignore lint/style/noProcessEnv: the process under test inherits the environment of the tests
    env: { ...process.env, ...ENVIRONMENT, ...options.environment },
  });
  return new FngateProcess(child, directory);
}

function configFileIn(directory: TempDirectory): string {
  return directory.file("config.yaml");
}

function dataDirectoryIn(directory: TempDirectory): string {
  return directory.file("data");
}

function withDataDirectory(config: Readonly<Record<string, unknown>>, path: string): Readonly<Record<string, unknown>> {
  const section = Object(config["fngate"]);
  return { ...config, fngate: { data_dir: path, ...section } };
}
