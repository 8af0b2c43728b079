import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { Agent, createServer, get, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { eventually, type TempDirectory, tempDirectory } from "@fngate/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ADMIN_KEY, AdminClient } from "../support/admin-client.ts";
import { type FngateProcess, type LogLine, startFngate } from "../support/fngate-process.ts";

const LOOPBACK = { ip: "127.0.0.1", port: 0 };
const WORKERS = 2;

/** How long the loaded machine may take to start two workers. */
const RELOAD_DEADLINE_MS = 60_000;

/** Keeps the clients from taking all of the machine. */
const ANSWER_MS = 10;

/** A server that answers at once, and under `/held` when it is told to. */
class Upstream implements AsyncDisposable {
  readonly held: ServerResponse[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      if (request.url === "/held") this.held.push(response);
      else setTimeout(() => response.end("answer"), ANSWER_MS);
    }).listen(0, "127.0.0.1");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<this> {
    await once(this.#server, "listening");
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** The status and `Server` of an answer, or how it failed; a kept connection that was closed is left for a new one, once. */
function ask(port: number, path: string, agent?: Agent): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path, agent: agent ?? false }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(`${answer.statusCode} ${answer.headers["server"]}`));
      answer.on("error", (error) => resolve(error.message));
    });
    request.on("error", (error) => {
      // It may be closed just as it is used again, whoever the server is (RFC 9112 section 9.3.1).
      if (request.reusedSocket) resolve(ask(port, path));
      else resolve(error.message);
    });
  });
}

describe("SIGHUP", () => {
  const stack = new AsyncDisposableStack();
  let directory: TempDirectory;
  let upstream: Upstream;
  let gateway: FngateProcess;
  let port: number;
  let metricsPort: number;
  let config: Readonly<Record<string, unknown>>;

  beforeAll(async () => {
    directory = stack.use(await tempDirectory());
    upstream = stack.use(await new Upstream().listen());
    config = {
      deployment: {
        role: "traditional",
        role_traditional: { config_provider: "embedded" },
        admin: { admin_key: [{ name: "admin", key: ADMIN_KEY, role: "admin" }], admin_listen: LOOPBACK },
      },
      apisix: { node_listen: [LOOPBACK] },
      plugin_attr: { prometheus: { export_addr: LOOPBACK } },
      nginx_config: {
        worker_shutdown_timeout: "20s",
        http: { access_log: directory.file("access.log"), access_log_format: "one $uri" },
      },
    };
    gateway = stack.use(await startFngate(config, { environment: { APISIX_WORKER_PROCESSES: String(WORKERS) } }));
    port = gateway.address("proxy").port;
    metricsPort = gateway.address("metrics").port;
    const admin = new AdminClient(gateway.address("admin").port);
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    await admin.put("/routes/1", { uris: ["/answer", "/held"], plugins: { prometheus: {} }, upstream: { nodes } });
    await everyWorkerAnswers("200 APISIX/3.18.0");
  });
  afterAll(() => stack.disposeAsync());
  beforeEach(() => {
    gateway.lines.length = 0;
  });

  /** Who is idle accepts, so several connections at once ask all workers. */
  async function everyWorkerAnswers(expected: string): Promise<void> {
    await eventually(async () => {
      const answers = await Promise.all(Array.from({ length: WORKERS * 8 }, () => ask(port, "/answer")));
      expect(new Set(answers)).toEqual(new Set([expected]));
    });
  }

  function event(name: string): readonly LogLine[] {
    return gateway.lines.filter((line) => line["event"] === name);
  }

  /** Requests that all workers have counted, those that left included. */
  async function counted(): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/apisix/prometheus/metrics`)).text();
    return Number(/^apisix_http_requests_total (\d+)$/m.exec(text)?.[1]);
  }

  async function reload(text: string): Promise<void> {
    await writeFile(gateway.configFile, text);
    gateway.signal("SIGHUP");
  }

  /** The configuration with other members of `apisix`, and of `nginx_config.http`. */
  function changed(apisix: object, http: object): string {
    const nginx = Object(config["nginx_config"]);
    return JSON.stringify({
      ...config,
      fngate: { data_dir: gateway.dataDirectory },
      apisix: { ...Object(config["apisix"]), ...apisix },
      nginx_config: { ...nginx, http: { ...nginx.http, ...http } },
    });
  }

  it("puts a changed file in force without failing a request, whether connections are kept or not", async () => {
    const answers = new Map<string, number>();
    let isOver = false;
    const clients = Array.from({ length: 8 }, async (_, index) => {
      const agent = index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
      while (!isOver) {
        const answer = await ask(port, "/answer", agent);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
      agent?.destroy();
    });
    const held = ask(port, "/held");
    await eventually(() => expect(upstream.held).toHaveLength(1));
    const countedBefore = await counted();
    expect(countedBefore).toBeGreaterThan(0);
    await reload(changed({ enable_server_tokens: false }, { access_log_format: "two $uri" }));
    await eventually(() => expect(event("reloaded")).toHaveLength(1), { deadlineMs: RELOAD_DEADLINE_MS });
    await everyWorkerAnswers("200 APISIX");
    upstream.held.pop()?.end();
    expect(await held).toBe("200 APISIX/3.18.0");
    await eventually(() => expect(event("worker-left")).toHaveLength(WORKERS), { deadlineMs: RELOAD_DEADLINE_MS });
    isOver = true;
    await Promise.all(clients);
    expect(await counted()).toBeGreaterThan(countedBefore);
    expect(new Set(answers.keys())).toEqual(new Set(["200 APISIX/3.18.0", "200 APISIX"]));
    expect(event("worker-left").map((line) => line["code"])).toEqual([0, 0]);
    expect(event("worker-ended")).toEqual([]);
    await eventually(async () =>
      expect(await readFile(directory.file("access.log"), "utf8")).toMatch(/^two \/answer$/m),
    );
  }, 180_000);

  it.each([
    { what: "no YAML", text: () => "apisix: [", reason: /yaml|flow/i },
    { what: "a wrong value", text: () => changed({ enable_http2: "maybe" }, {}), reason: /apisix\.enable_http2/ },
    { what: "what no worker starts with", text: () => changed({}, { access_log_format: "$nobody" }), reason: /nobody/ },
    {
      what: "another role",
      text: () => JSON.stringify({ deployment: { role: "control_plane" } }),
      reason: /deployment\.role/,
    },
  ])("changes nothing when the file has $what, and says why", async ({ reason, text }) => {
    await reload(text());
    await eventually(() => expect(event("reload-refused")).toHaveLength(1), { deadlineMs: RELOAD_DEADLINE_MS });
    expect(event("reload-refused")[0]).toMatchObject({ level: "error", reason: expect.stringMatching(reason) });
    expect(["worker-started", "worker-ended", "worker-left"].flatMap(event)).toEqual([]);
    await everyWorkerAnswers("200 APISIX");
  });

  it("names what needs a restart, and puts the rest in force", async () => {
    const text = changed({ enable_server_tokens: true, status: LOOPBACK }, {});
    await reload(text);
    await eventually(() => expect(event("reloaded")).toHaveLength(1), { deadlineMs: RELOAD_DEADLINE_MS });
    expect(event("reload")).toContainEqual(expect.objectContaining({ level: "warn", keys: ["apisix.status"] }));
    await everyWorkerAnswers("200 APISIX/3.18.0");
  });

  it("ends cleanly after all of that", async () => {
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });
});
