/**
 * Compares the processor time of one proxied request through `forward` with the same through undici's own `dispatch`,
 * behind the same `node:http` server, against an upstream in a process of its own.
 *
 * Rounds are interleaved, so that a busy machine slows both alike; what counts is the ratio of the medians.
 * Run: `node --conditions=@fngate/source packages/proxy/bench/forward.bench.ts [rounds] [requests per round]`
 */
import { fork } from "node:child_process";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { compileUpstream, createConnections, forwardToUpstream, prepareHeaders } from "@fngate/proxy";
import { type Dispatcher, Pool } from "undici";

const CONNECTIONS = 64;
const limits = { connectMs: 60_000, sendMs: 60_000, readMs: 60_000 };
const [rounds = 15, requestsPerRound = 8_000] = process.argv.slice(2).map(Number);

type Port = { readonly port: number };

class ServerSink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  head(status: number, reason: string, headers: readonly string[]): void {
    this.#response.writeHead(status, reason, headers as string[]);
  }

  write(chunk: Uint8Array): boolean {
    return this.#response.write(chunk);
  }

  onDrain(resume: () => void): void {
    this.#response.once("drain", resume);
  }

  end(): void {
    this.#response.end();
  }
}

switch (process.argv[2]) {
  case "upstream":
    serveUpstream();
    break;
  case "load":
    serveLoad();
    break;
  default:
    await compare();
}

function serveUpstream(): void {
  const answer = Buffer.from(
    "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/plain\r\n" +
      "Content-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, world!",
  );
  void import("node:net").then(({ createServer: createTcpServer }) => {
    const server = createTcpServer((socket) => {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write(answer));
    });
    server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
  });
}

/** Sends `count` requests over kept connections to the port it is told, and reports when all were answered. */
function serveLoad(): void {
  const request = Buffer.from(
    "GET /default/function-sample/test?a=1 HTTP/1.1\r\nHost: gateway.example:9080\r\nUser-Agent: bench/1.0\r\n" +
      "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nX-Request-Id: 0123456789abcdef\r\n\r\n",
  );
  process.on("message", ({ port, count }: Port & { readonly count: number }) => {
    let toSend = count;
    let open = count;
    for (let index = 0; index < CONNECTIONS; index += 1) {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      const next = (): void => {
        toSend -= 1;
        if (toSend >= 0) socket.write(request);
        else socket.end();
      };
      let received = "";
      socket.on("connect", next).on("data", (data) => {
        received += data.toString("latin1");
        if (!received.endsWith("Hello, world!") && !received.endsWith("0\r\n\r\n")) return;
        received = "";
        open -= 1;
        if (open === 0) process.send?.("done");
        next();
      });
    }
  });
}

async function compare(): Promise<void> {
  const self = import.meta.filename;
  const execArgv = ["--conditions=@fngate/source"];
  const upstream = fork(self, ["upstream"], { execArgv });
  const load = fork(self, ["load"], { execArgv });
  const { port } = await new Promise<Port>((resolve) =>
    upstream.once("message", (message) => resolve(message as Port)),
  );

  const subjects = [
    { name: "undici dispatch", listener: bareListener(port) },
    { name: "forward", listener: forwardListener(port) },
    { name: "forwardToUpstream", listener: upstreamListener(port) },
  ];
  const timings = subjects.map(() => [] as number[]);
  const ports = await Promise.all(subjects.map(({ listener }) => listen(listener)));
  for (let round = -2; round < rounds; round += 1) {
    for (const index of subjects.keys()) {
      const before = process.cpuUsage();
      load.send({ port: ports[index], count: requestsPerRound });
      await new Promise((resolve) => load.once("message", resolve));
      const used = process.cpuUsage(before);
      // The first rounds warm the compiler up.
      if (round >= 0) timings[index]?.push((used.user + used.system) / requestsPerRound);
    }
  }
  const medians = timings.map(median);
  for (const [index, { name }] of subjects.entries()) {
    const own = medians[index] ?? 0;
    const ratio = own / (medians[0] ?? 1);
    process.stdout.write(`${name.padEnd(20)} ${own.toFixed(1)} us/request   x${ratio.toFixed(3)}\n`);
  }
  upstream.kill();
  load.kill();
  process.exit(0);
}

function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The least a proxy can do with undici: fields in, fields out, chunks through. */
function bareListener(port: number): RequestListener {
  const pool = new Pool(`http://127.0.0.1:${port}`, { allowH2: false });
  return (request, response) => {
    const headers: string[] = [];
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index] ?? "";
      if (name.toLowerCase() !== "connection") headers.push(name, request.rawHeaders[index + 1] ?? "");
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      // biome-ignore lint/complexity/useMaxParams: undici's signature
      onResponseStart(controller, status, _headers, reason) {
        const raw: string[] = [];
        if (Array.isArray(controller.rawHeaders)) {
          for (let index = 0; index < controller.rawHeaders.length; index += 2) {
            const name = String(controller.rawHeaders[index]);
            if (name.toLowerCase() !== "connection") raw.push(name, String(controller.rawHeaders[index + 1]));
          }
        }
        response.writeHead(status, reason, raw);
      },
      onResponseData(_controller, chunk) {
        response.write(chunk);
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        response.destroy();
      },
    };
    pool.dispatch({ method: "GET", path: request.url ?? "/", headers, body: null }, handler);
  };
}

function forwardListener(port: number): RequestListener {
  const connections = createConnections();
  const keepalive = { idleConnections: 320, idleTimeoutMs: 60_000 };
  const endpoint = connections.acquire({ scheme: "http", host: "127.0.0.1", port, keepalive, timeouts: limits });
  return (request, response) => {
    const headers = prepareHeaders(request.rawHeaders);
    headers.push("Host", request.headers.host ?? "");
    const outgoing = { method: "GET", target: request.url ?? "/", headers, body: { kind: "none" } as const };
    const exchange = connections.forward(endpoint, outgoing, new ServerSink(response));
    void finish(exchange.outcome, response);
  };
}

function upstreamListener(port: number): RequestListener {
  const connections = createConnections();
  const nodes = { [`127.0.0.1:${port}`]: 1 };
  const upstream = compileUpstream({ nodes, keepalive_pool: { requests: 1_000_000 } }, connections);
  return (request: IncomingMessage, response) => {
    const headers = prepareHeaders(request.rawHeaders);
    const exchange = forwardToUpstream({
      upstream,
      forwarder: connections,
      request: { method: "GET", target: request.url ?? "/", headers, body: { kind: "none" } },
      host: request.headers.host ?? "",
      sink: new ServerSink(response),
    });
    void finish(exchange.result, response);
  };
}

async function finish(outcome: Promise<unknown>, response: ServerResponse): Promise<void> {
  await outcome;
  if (!response.writableEnded) response.destroy();
}
