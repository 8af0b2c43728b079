/**
 * The servers that fngate is compared with, one per process: `node servers.ts KIND PORT UPSTREAM_PORT`.
 * Each proxy does the least that still is a proxy: it passes method, path, headers and body on and streams the answer.
 */
import { createServer, Agent as HttpAgent, type IncomingMessage, type ServerResponse } from "node:http";
import httpProxy from "http-proxy";
import { Pool } from "undici";

const [kind = "", port = "", upstreamPort = ""] = process.argv.slice(2);
const upstreamUrl = `http://127.0.0.1:${upstreamPort}`;
const body = "Hello, world!";

/** `node:http` answering by itself: the floor under every proxy here. */
function answer(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/plain", "content-length": body.length });
  response.end(body);
}

/** undici's `dispatch` behind `node:http`: the yardstick. */
function bareUndiciProxy(): (request: IncomingMessage, response: ServerResponse) => void {
  const pool = new Pool(upstreamUrl, { connections: null, pipelining: 1 });
  return (request, response) => {
    const hasBody =
      request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
    const headers = { ...request.headers };
    delete headers["connection"];
    delete headers["transfer-encoding"];
    pool.dispatch(
      { path: request.url ?? "/", method: request.method ?? "GET", headers, body: hasBody ? request : null },
      {
        onRequestStart() {},
        onResponseStart(_controller, status, answerHeaders) {
          delete answerHeaders["connection"];
          delete answerHeaders["keep-alive"];
          response.writeHead(status, answerHeaders);
        },
        onResponseData(controller, chunk) {
          if (response.write(chunk)) return;
          controller.pause();
          response.once("drain", () => controller.resume());
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  };
}

/** http-proxy with a keep-alive agent. */
function bareHttpProxy(): (request: IncomingMessage, response: ServerResponse) => void {
  const proxy = httpProxy.createProxyServer({ target: upstreamUrl, agent: new HttpAgent({ keepAlive: true }) });
  proxy.on("error", (_error, _request, response) => response.destroy());
  return (request, response) => proxy.web(request, response);
}

const handlers = { node: () => answer, undici: bareUndiciProxy, "http-proxy": bareHttpProxy };
const create = handlers[kind as keyof typeof handlers];
if (create === undefined) throw new Error(`no such server: ${kind}`);
const server = createServer({ keepAliveTimeout: 60_000 }, create());
server.listen(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));
