/**
 * What plugins call, in one process: `node plugin-servers.ts HTTP_PORT TCP_PORT UDP_PORT LDAP_PORT`. Over HTTP an OPA
 * server, an OpenWhisk and an OpenID provider that lets everybody in; sinks for TCP and UDP; an LDAP server.
 */
import { createSocket } from "node:dgram";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer } from "node:net";
import ldap from "ldapjs";
import { type Answer, OpenidProvider } from "./openid-provider.ts";

const [httpPort = 0, tcpPort = 0, udpPort = 0, ldapPort = 0] = process.argv.slice(2).map(Number);

const provider = new OpenidProvider(`http://127.0.0.1:${httpPort}`);

function answerTo(path: string, url: URL, body: URLSearchParams): Answer {
  if (path.startsWith("/v1/data/")) return { status: 200, json: { result: { allow: true } } };
  if (path.startsWith("/api/v1/namespaces/")) return { status: 200, json: { statusCode: 200, body: "Hello, world!" } };
  return provider.answer(url, body);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const url = new URL(request.url ?? "/", `http://127.0.0.1:${httpPort}`);
    const { json, location, status } = answerTo(
      url.pathname,
      url,
      new URLSearchParams(Buffer.concat(chunks).toString()),
    );
    const text = json === undefined ? "" : JSON.stringify(json);
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      ...(location === undefined ? {} : { location }),
    });
    response.end(text);
  });
}

createTcpServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.resume();
}).listen(tcpPort, "127.0.0.1");

createSocket("udp4")
  .on("message", () => undefined)
  .bind(udpPort, "127.0.0.1");

const directory = ldap.createServer();
directory.bind("dc=bench", (_request: unknown, reply: { end(): void }, next: () => void) => {
  reply.end();
  next();
});
directory.listen(ldapPort, "127.0.0.1");

// The last to listen: whoever waits for this port finds the others, too.
createHttpServer({ keepAliveTimeout: 60_000 }, answer).listen(httpPort, "127.0.0.1");
