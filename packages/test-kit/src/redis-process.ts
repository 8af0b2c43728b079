import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { findRedis } from "./redis-binary.ts";
import { type TempDirectory, tempDirectory } from "./temp-directory.ts";

/** How a {@link RedisProcess} is started. */
export interface RedisOptions {
  /** Asked of every client. */
  readonly password?: string;
  /** Makes it a node of a cluster, of which it is the only one. */
  readonly isCluster?: boolean;
  /** Port of the server that it copies; the password is that one's, too. */
  readonly replicaOf?: number;
  /** Makes it a sentinel, which stores nothing. */
  readonly watched?: WatchedRedis;
}

/** A master that a sentinel watches, alone and impatiently. */
export interface WatchedRedis {
  readonly name: string;
  readonly port: number;
  readonly password?: string;
}

/** After so long without an answer a sentinel has a replica take over, milliseconds. */
const DOWN_AFTER_MS = 500;

/** How long Redis may take to start or to end, in milliseconds. */
const PATIENCE_MS = 20_000;

/** How much of Redis' own output an error shows. */
const OUTPUT_LIMIT = 4_000;

/** A real Redis server on a port of its own, which keeps nothing on disk. */
export class RedisProcess implements AsyncDisposable {
  readonly port: number;
  readonly #options: RedisOptions;
  readonly #directory: TempDirectory;
  #process: ChildProcess | undefined;
  #output = "";

  constructor(options: RedisOptions, directory: TempDirectory, port: number) {
    this.#options = options;
    this.#directory = directory;
    this.port = port;
  }

  /** Starts the server and waits until it serves; throws with its own output when it does not. */
  async start(): Promise<void> {
    const child = spawn(findRedis(), await this.#arguments(), { stdio: ["ignore", "pipe", "inherit"] });
    this.#process = child;
    child.stdout.on("data", (data: Buffer) => {
      this.#output = (this.#output + data).slice(-OUTPUT_LIMIT);
    });
    const failure: { error?: Error } = {};
    child.once("error", (error) => Object.assign(failure, { error }));
    const killWithUs = () => child.kill("SIGKILL");
    process.once("exit", killWithUs);
    child.once("exit", () => process.off("exit", killWithUs));
    await eventually(
      async () => {
        if (failure.error === undefined && child.exitCode === null) await this.command("PING");
      },
      { deadlineMs: PATIENCE_MS, intervalMs: 20 },
    );
    if (failure.error !== undefined || child.exitCode !== null) {
      throw new Error(`redis did not start: ${failure.error?.message ?? this.#output}`, { cause: failure.error });
    }
    if (this.#options.isCluster === true) await this.#formCluster();
  }

  /** Ends the server as a crash would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** Sends one command on a connection of its own and returns the answer as it came. */
  async command(...words: readonly string[]): Promise<string> {
    const { password } = this.#options;
    const socket = connect(this.port, "127.0.0.1");
    socket.setEncoding("utf8");
    if (password !== undefined) socket.write(encode(["AUTH", password]));
    socket.end(encode(words));
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return password === undefined ? answer : answer.slice(answer.indexOf("\r\n") + 2);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#directory[Symbol.asyncDispose]();
  }

  async #arguments(): Promise<readonly string[]> {
    const { isCluster, password, replicaOf, watched } = this.#options;
    if (watched !== undefined) return [await this.#writeSentinelFile(watched), "--sentinel"];
    const options: readonly (readonly [string, string])[] = [
      ["port", String(this.port)],
      ["bind", "127.0.0.1"],
      ["dir", this.#directory.path],
      ["save", ""],
      ["appendonly", "no"],
      ...(password === undefined
        ? []
        : ([
            ["requirepass", password],
            ["masterauth", password],
          ] as const)),
      ...(replicaOf === undefined ? [] : ([["replicaof", `127.0.0.1 ${replicaOf}`]] as const)),
      // A node that met no other one does not know its own address.
      ...(isCluster === true
        ? ([
            ["cluster-enabled", "yes"],
            ["cluster-announce-ip", "127.0.0.1"],
          ] as const)
        : []),
    ];
    return options.flatMap(([name, value]) => [`--${name}`, value]);
  }

  /** A sentinel keeps what it learns in the file that it was started with. */
  async #writeSentinelFile({ name, password, port }: WatchedRedis): Promise<string> {
    const own = this.#options.password;
    const lines = [
      `port ${this.port}`,
      "bind 127.0.0.1",
      `dir ${this.#directory.path}`,
      `sentinel monitor ${name} 127.0.0.1 ${port} 1`,
      `sentinel down-after-milliseconds ${name} ${DOWN_AFTER_MS}`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
      ...(own === undefined ? [] : [`requirepass ${own}`]),
    ];
    const file = this.#directory.file("sentinel.conf");
    await writeFile(file, `${lines.join("\n")}\n`);
    return file;
  }

  /** Gives all slots to the only node. */
  async #formCluster(): Promise<void> {
    await this.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await eventually(async () => {
      const info = await this.command("CLUSTER", "INFO");
      if (!info.includes("cluster_state:ok")) throw new Error("the cluster is not ready");
    });
  }
}

/** Starts a {@link RedisProcess}; dispose it, or it lives as long as this process. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  const [port = 0] = await freePorts(1);
  const redis = new RedisProcess(options, await tempDirectory(), port);
  try {
    await redis.start();
    return redis;
  } catch (error) {
    await redis[Symbol.asyncDispose]();
    throw error;
  }
}

/** A command as Redis' protocol has it: a list of texts with their lengths. */
function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}
