import { request as httpRequest, type IncomingMessage } from "node:http";
import { type LogFields, type Logger, systemClock } from "@fngate/kernel";
import { definePlugin, type PluginCatalog, type PluginDefinition } from "@fngate/plugin-kit";
import { createKeyring, DEFAULT_KEYRING } from "@fngate/schema";
import { FakeConfigStore } from "@fngate/test-kit";
import { z } from "zod";
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from "../index.ts";

export const ADMIN_KEY = "an-admin-key-of-the-tests";
export const VIEWER_KEY = "a-viewer-key-of-the-tests";

/** A plugin with a required number and a secret, small enough to know its texts by heart. */
const quota = definePlugin({
  name: "quota",
  version: 0.1,
  priority: 10,
  schema: z.object({ limit: z.int().min(1), token: z.string().optional() }),
  secretFields: ["token"],
  setup: () => ({}),
});

const tag = definePlugin({ name: "tag", version: 0.1, priority: 20, schema: z.object({}), setup: () => ({}) });

export function catalogOf(...plugins: readonly PluginDefinition[]): PluginCatalog {
  const byName = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  const ordered = plugins.toSorted((left, right) => right.priority - left.priority);
  return { get: (name) => byName.get(name), all: () => ordered };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** The decoded body; undefined when it is not JSON. */
  readonly json: unknown;
}

export interface CallOptions {
  /** Sent as JSON unless it is text. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends no key of its own. */
  readonly isAnonymous?: boolean;
  /** Sends the body in chunks, without a declared length. */
  readonly isChunked?: boolean;
}

/** Log lines as they were written. */
export class RecordingLogger implements Logger {
  readonly lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[] = [];
  debug(fields: LogFields, message: string): void {
    this.lines.push({ level: "debug", fields, message });
  }
  info(fields: LogFields, message: string): void {
    this.lines.push({ level: "info", fields, message });
  }
  warn(fields: LogFields, message: string): void {
    this.lines.push({ level: "warn", fields, message });
  }
  error(fields: LogFields, message: string): void {
    this.lines.push({ level: "error", fields, message });
  }
  child(): Logger {
    return this;
  }
}

/** A listening control plane over a store in memory, and a client that speaks to it. */
export class AdminHarness implements AsyncDisposable {
  readonly store: FakeConfigStore;
  readonly logger = new RecordingLogger();
  readonly plane: ControlPlane;

  constructor(options: Partial<ControlPlaneOptions> = {}) {
    this.store = new FakeConfigStore();
    this.plane = createControlPlane({
      store: this.store,
      prefix: "/apisix",
      catalog: catalogOf(quota, tag),
      keyring: createKeyring(DEFAULT_KEYRING),
      listen: { host: "127.0.0.1", port: 0 },
      keys: [
        { name: "admin", key: ADMIN_KEY, role: "admin" },
        { name: "viewer", key: VIEWER_KEY, role: "viewer" },
      ],
      isKeyRequired: true,
      isCorsEnabled: true,
      serverHeader: "APISIX/3.18.0",
      isStreamEnabled: false,
      logger: this.logger,
      clock: systemClock,
      ...options,
    });
  }

  static async start(options: Partial<ControlPlaneOptions> = {}): Promise<AdminHarness> {
    const harness = new AdminHarness(options);
    await harness.plane.start();
    return harness;
  }

  get port(): number {
    const { address } = this.plane;
    if (address === undefined || "socketPath" in address) throw new Error("the control plane has no port");
    return address.port;
  }

  /** Calls below `/apisix/admin`; a path that starts with `//` is taken as the whole path behind one slash. */
  call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const body = typeof options.body === "string" ? options.body : JSON.stringify(options.body);
    const framing =
      body === undefined || options.isChunked === true ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const request = httpRequest({
      host: "127.0.0.1",
      port: this.port,
      method,
      path: path.startsWith("//") ? path.slice(1) : `/apisix/admin${path}`,
      headers: { ...(options.isAnonymous === true ? {} : { "X-API-KEY": ADMIN_KEY }), ...framing, ...options.headers },
      agent: false,
    });
    request.once("error", reject).once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).once("error", reject);
      response.once("end", () => resolve(answerOf(response, Buffer.concat(chunks).toString("utf8"))));
    });
    if (body !== undefined && options.isChunked === true) request.write(body.slice(0, 1));
    request.end(options.isChunked === true ? body?.slice(1) : body);
    return promise;
  }

  /** Keys of everything stored below a directory, placeholder left out. */
  async keys(directory: string): Promise<readonly string[]> {
    const { entries } = await this.store.list(`/apisix/${directory}/`);
    return entries.map(({ key }) => key).filter((key) => !key.endsWith("/"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plane.stop({ deadlineMs: 5_000 });
    await this.store.close();
  }
}

function answerOf(response: IncomingMessage, text: string): Answer {
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
