import { Agent, get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { eventually, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { type FngateProcess, spawnFngate } from "../support/fngate-process.ts";
import type { ProbeReading } from "./scale-probe.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };
const PROBE = join(import.meta.dirname, "scale-probe.ts");

/** Loading so many routes may take this long on a slow machine, milliseconds. */
const PATIENCE_MS = 300_000;

/** How the answers to a client fared that asked all the time. */
export interface Answers {
  readonly answers: number;
  readonly slowestMs: number;
}

/** A data plane as a user starts it, measured from outside and through {@link ProbeReading}. */
export class MeasuredPlane implements AsyncDisposable {
  readonly #process: FngateProcess;
  readonly #directory: TempDirectory;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(running: FngateProcess, directory: TempDirectory) {
    this.#process = running;
    this.#directory = directory;
  }

  /** Resolves once requests are accepted, which is before there is any configuration. */
  async listening(): Promise<void> {
    await eventually(() => this.#process.address("proxy"), { deadlineMs: PATIENCE_MS, intervalMs: 2 });
  }

  /** Resolves when the configuration is complete. */
  async ready(): Promise<void> {
    const isReady = () => this.#process.lines.some((line) => line["event"] === "ready");
    await eventually(() => isReady(), { deadlineMs: PATIENCE_MS, intervalMs: 2 });
  }

  /** How often a configuration was put in force so far. */
  get publications(): number {
    return this.#process.lines.filter((line) => line["msg"] === "configuration published").length;
  }

  /** Status of one GET. */
  status(path: string): Promise<number> {
    const { port } = this.#process.address("proxy");
    return new Promise((resolve, reject) => {
      const sent = get({ host: "127.0.0.1", port, path, agent: this.#agent }, (answer) => {
        answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
      });
      sent.on("error", reject);
    });
  }

  /** Milliseconds until a GET is answered with the status. */
  async untilStatus(path: string, status: number): Promise<number> {
    const startedMs = performance.now();
    await eventually(async () => (await this.status(path)) === status, { deadlineMs: PATIENCE_MS, intervalMs: 1 });
    return performance.now() - startedMs;
  }

  /** Asks for a path without pause while `work` runs. */
  async watched<TResult>(work: () => Promise<TResult>): Promise<{ readonly result: TResult } & Answers> {
    const over = new AbortController();
    const asking = this.#askUntil(over.signal);
    try {
      const result = await work();
      over.abort();
      return { result, ...(await asking) };
    } finally {
      over.abort();
    }
  }

  /** Reads the probe, which starts over; `heap` collects garbage before. */
  probe(question: "heap" | "loop"): Promise<ProbeReading> {
    return new Promise((resolve, reject) => {
      let text = "";
      const socket = connect(this.#directory.file("probe.sock"));
      socket
        .on("connect", () => socket.write(question))
        .on("data", (data: Buffer) => {
          text += data.toString();
        })
        .on("end", () => resolve(JSON.parse(text)))
        .on("error", reject);
    });
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.#process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.#process[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }

  async #askUntil(over: AbortSignal): Promise<Answers> {
    let answers = 0;
    let slowestMs = 0;
    while (!over.aborted) {
      const startedMs = performance.now();
      await this.status("/no-such-route");
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      answers += 1;
      await delay(1);
    }
    return { answers, slowestMs };
  }
}

/** Starts a data plane with its data in `dataDirectory`; `deployment` is that section of its configuration. */
export async function startPlane(deployment: object, dataDirectory: string): Promise<MeasuredPlane> {
  const directory = await tempDirectory();
  const config = {
    deployment,
    apisix: { node_listen: [LOOPBACK], status: LOOPBACK, enable_control: false, ssl: { enable: false } },
    plugin_attr: { prometheus: { export_addr: LOOPBACK } },
    nginx_config: { error_log_level: "debug" },
    fngate: { data_dir: dataDirectory },
  };
  const environment = { NODE_OPTIONS: `--import=${PROBE}`, FNGATE_PROBE_SOCKET: directory.file("probe.sock") };
  return new MeasuredPlane(await spawnFngate(config, { environment }), directory);
}
