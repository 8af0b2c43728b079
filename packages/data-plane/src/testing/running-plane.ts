import { connect } from "node:net";
import { systemClock } from "@fngate/kernel";
import type { PluginCatalog, PluginDefinition } from "@fngate/plugin-kit";
import type { Answer, SentRequest } from "@fngate/plugin-kit/testing";
import { createCatalog } from "@fngate/plugins";
import { eventually, FakeConfigStore } from "@fngate/test-kit";
import { createDataPlane } from "../data-plane.ts";
import type { DataPlane, DataPlaneOptions, ListenerName } from "../options.ts";
import { type LoggedLine, recordingLogger } from "./recording-logger.ts";
import { sendRequest } from "./send-request.ts";

export type { Answer, SentRequest } from "@fngate/plugin-kit/testing";
export { type LoggedLine, recordingLogger } from "./recording-logger.ts";
export { sendRequest } from "./send-request.ts";

/** A data plane over real sockets, its store and its logs; disposing stops everything. */
export class RunningPlane implements AsyncDisposable {
  readonly plane: DataPlane;
  readonly store: FakeConfigStore;
  readonly lines: LoggedLine[];
  readonly accessLog: string[];
  #isStopped = false;

  constructor(parts: { plane: DataPlane; store: FakeConfigStore; lines: LoggedLine[]; accessLog: string[] }) {
    this.plane = parts.plane;
    this.store = parts.store;
    this.lines = parts.lines;
    this.accessLog = parts.accessLog;
  }

  portOf(listener: ListenerName = "http"): number {
    return this.plane.addresses.find((address) => address.listener === listener)?.port ?? 0;
  }

  /** Writes an object and waits until the plane has it in force. */
  async put(path: string, value: unknown): Promise<void> {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    await this.#settled(await this.store.put(`/apisix/${path}`, text));
  }

  async remove(path: string): Promise<void> {
    await this.#settled(await this.store.delete(`/apisix/${path}`));
  }

  /** Sends a request with the target exactly as given. */
  send(target: string, options: SentRequest = {}): Promise<Answer> {
    return sendRequest(this.portOf(), target, options);
  }

  /** Sends bytes as they are and collects the answer until the gateway closes. */
  raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.portOf(), "127.0.0.1", () => socket.write(text, "latin1"));
      let received = "";
      socket.setEncoding("latin1");
      socket.on("data", (chunk: string) => {
        received += chunk;
      });
      socket.on("close", () => resolve(received));
      socket.on("error", reject);
    });
  }

  async stop(deadlineMs = 2_000): Promise<void> {
    this.#isStopped = true;
    await this.plane.stop({ deadlineMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isStopped) await this.stop(0).catch(() => {});
    await this.store.close();
  }

  async #settled({ revision }: { readonly revision: string }): Promise<void> {
    await eventually(() => {
      const isThere = this.lines.some((line) => line.fields["revision"] === revision);
      if (!isThere) throw new Error(`revision ${revision} is not in force`);
    });
  }
}

/** The built-in plugins and those of a test. */
export function catalogWith(...plugins: readonly PluginDefinition[]): PluginCatalog {
  const builtin = createCatalog();
  const byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  return {
    get: (name) => byName.get(name) ?? builtin.get(name),
    all: () => [...plugins, ...builtin.all()],
  };
}

/** Starts a data plane on an empty store (or the given one) and waits until it is ready. */
export async function startPlane(
  options: Partial<DataPlaneOptions> & { readonly store?: FakeConfigStore } = {},
): Promise<RunningPlane> {
  const store = options.store ?? new FakeConfigStore();
  const lines: LoggedLine[] = [];
  const accessLog: string[] = [];
  const plane = createDataPlane({
    prefix: "/apisix",
    catalog: createCatalog(),
    listen: [{ host: "127.0.0.1", port: 0 }],
    routerKind: "radixtree_host_uri",
    serverHeader: "APISIX/3.18.0",
    logger: recordingLogger(lines),
    clock: systemClock,
    accessLog: { write: (line) => accessLog.push(line) },
    ...options,
    store,
  });
  await plane.start();
  await eventually(() => {
    if (!plane.isReady) throw new Error("not ready");
  });
  return new RunningPlane({ plane, store, lines, accessLog });
}
