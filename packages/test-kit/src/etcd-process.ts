import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import type { Certificates } from "./certificates.ts";
import { findEtcd } from "./etcd-binary.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { requestJson } from "./json-request.ts";
import { type TempDirectory, tempDirectory } from "./temp-directory.ts";

export interface EtcdOptions {
  /** Serves clients over TLS with the server certificate, and lets in only those with a certificate of the same authority. */
  readonly tls?: Certificates;
  /** Turns authentication on, with this user as an administrator. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** How often a quiet watch is told the current revision; etcd's default is ten minutes. */
  readonly progressNotifyIntervalMs?: number;
}

/** How long etcd may take to start or to end, in milliseconds. */
const PATIENCE_MS = 20_000;

/** How much of etcd's own output an error shows. */
const OUTPUT_LIMIT = 4_000;

/** Lets the next start find other ports when somebody took ours in between. */
const START_ATTEMPTS = 3;

/** A real etcd server of one member, with its data in a temporary directory and ports of its own. */
export class EtcdProcess implements AsyncDisposable {
  readonly #options: EtcdOptions;
  readonly #directory: TempDirectory;
  readonly #client: number;
  readonly #peer: number;
  readonly #metrics: number;
  #process: ChildProcess | undefined;
  #output = "";

  constructor(options: EtcdOptions, directory: TempDirectory, ports: readonly number[]) {
    this.#options = options;
    this.#directory = directory;
    [this.#client = 0, this.#peer = 0, this.#metrics = 0] = ports;
  }

  /** `scheme://127.0.0.1:port` for clients, the same over every restart. */
  get url(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.#client}`;
  }

  /** The port of {@link EtcdProcess.url}. */
  get port(): number {
    return this.#client;
  }

  /** Starts the server and waits until it serves; throws with etcd's own output when it does not. */
  async start(): Promise<void> {
    this.#output = "";
    const child = spawn(findEtcd(), await this.#arguments(), {
      stdio: ["ignore", "ignore", "pipe"],
      env: environment(),
    });
    this.#process = child;
    child.stderr.on("data", (data: Buffer) => {
      this.#output = (this.#output + data).slice(-OUTPUT_LIMIT);
    });
    const failure: { error?: Error } = {};
    child.once("error", (error) => Object.assign(failure, { error }));
    const killWithUs = () => child.kill("SIGKILL");
    process.once("exit", killWithUs);
    child.once("exit", () => process.off("exit", killWithUs));
    await eventually(
      async () => {
        if (failure.error !== undefined || child.exitCode !== null) return;
        await requestJson(`http://127.0.0.1:${this.#metrics}/health`);
      },
      { deadlineMs: PATIENCE_MS, intervalMs: 30 },
    );
    if (failure.error !== undefined || child.exitCode !== null) {
      throw new Error(`etcd did not start: ${failure.error?.message ?? this.#output}`, { cause: failure.error });
    }
    if (this.#options.auth !== undefined) await this.#requireAuth(this.#options.auth);
  }

  /** Ends the server in an orderly way; its data stay. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Ends the server as a crash would; its data stay. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Starts the server again on the same ports, ending it first where it runs; `wipe` loses all data. */
  async restart({ wipe = false }: { readonly wipe?: boolean } = {}): Promise<void> {
    await this.stop();
    if (wipe) await rm(this.#directory.file("data"), { recursive: true, force: true });
    await this.start();
  }

  /** Fault: forgets the history up to now. Writes the key `compaction` first, since no revision is compacted twice. */
  async compact(): Promise<void> {
    const key = Buffer.from("compaction").toString("base64");
    const { header } = (await this.call("kv/put", { key })) as { header: { revision: string } };
    await this.call("kv/compaction", { revision: header.revision, physical: true });
  }

  /** Calls etcd's JSON gateway: `path` without `/v3/`, keys and values in base64. */
  async call(path: string, body: unknown): Promise<unknown> {
    const { auth } = this.#options;
    if (auth === undefined) return this.#post(path, body);
    const login = { name: auth.user, password: auth.password };
    const { token } = (await this.#post("auth/authenticate", login)) as { token: string };
    return this.#post(path, body, { authorization: token });
  }

  /** The value of one of etcd's own Prometheus metrics, 0 where it has none of that name. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#metrics}/metrics`)).text();
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
    return Number(line?.slice(name.length) ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#directory[Symbol.asyncDispose]();
  }

  #post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const { tls } = this.#options;
    const ours = tls === undefined ? undefined : { ca: tls.ca, ...tls.client };
    return requestJson(`${this.url}/v3/${path}`, { body, headers, tls: ours });
  }

  async #requireAuth({ user, password }: { readonly user: string; readonly password: string }): Promise<void> {
    const { enabled } = await this.#authStatus(user, password);
    if (enabled) return;
    // etcd turns authentication on only when a user "root" exists.
    for (const name of new Set(["root", user])) {
      await this.#post("auth/user/add", { name, password });
      await this.#post("auth/user/grant", { user: name, role: "root" });
    }
    await this.#post("auth/enable", {});
  }

  async #authStatus(name: string, password: string): Promise<{ enabled: boolean }> {
    // After a restart authentication is still on, and only then does a login succeed.
    const login = await this.#post("auth/authenticate", { name, password }).catch(() => undefined);
    return { enabled: login !== undefined };
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    await exited;
    clearTimeout(patience);
  }

  async #arguments(): Promise<string[]> {
    const { progressNotifyIntervalMs: progress } = this.#options;
    const peer = `http://127.0.0.1:${this.#peer}`;
    return Object.entries({
      name: "test",
      "data-dir": this.#directory.file("data"),
      "listen-client-urls": this.url,
      "advertise-client-urls": this.url,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": `test=${peer}`,
      "listen-metrics-urls": `http://127.0.0.1:${this.#metrics}`,
      "log-level": "warn",
      ...(progress === undefined ? {} : { "experimental-watch-progress-notify-interval": `${progress}ms` }),
      ...(await this.#tlsArguments()),
    }).map(([name, value]) => `--${name}=${value}`);
  }

  async #tlsArguments(): Promise<Record<string, string>> {
    const { tls } = this.#options;
    if (tls === undefined) return {};
    const files = { "trusted-ca-file": tls.ca, "cert-file": tls.server.cert, "key-file": tls.server.key };
    for (const [name, pem] of Object.entries(files)) {
      await writeFile(this.#directory.file(name), pem, { mode: 0o600 });
    }
    const paths = Object.keys(files).map((name) => [name, this.#directory.file(name)]);
    return { "client-cert-auth": "true", ...Object.fromEntries(paths) };
  }
}

/** Starts an {@link EtcdProcess}; throws when no etcd is installed or it does not start. */
export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const etcd = new EtcdProcess(options, await tempDirectory(), await freePorts(3));
    try {
      await etcd.start();
      return etcd;
    } catch (error) {
      await etcd[Symbol.asyncDispose]();
      if (attempt === START_ATTEMPTS || !String(error).includes("address already in use")) throw error;
    }
  }
}

function environment(): Record<string, string> {
  // etcd refuses to run on ARM machines unless told that this is meant; its other settings must not leak in.
  return process.arch === "arm64" ? { ETCD_UNSUPPORTED_ARCH: "arm64" } : {};
}
