import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type EventuallyOptions, eventually } from "@fngate/test-kit";
import { dechunk, parseField } from "./raw-response.ts";

/** A request exactly as it came; text is latin1, one character per byte. */
export interface RecordedHead {
  readonly requestLine: string;
  /** Field names in lower case, in wire order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Body without its framing. */
  readonly body: string;
  /** Number of the connection it came on, from 1. */
  readonly connection: number;
}

/** Writes the answer's bytes; the default is a short 200. */
export type Answering = (request: RecordedHead, socket: Socket) => void;

/** Key and certificate (PEM) of a recorder that speaks TLS. */
export interface RecorderTls {
  readonly key: string;
  readonly cert: string;
}

const PLAIN_ANSWER = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/** A server that keeps the bytes it gets and answers the bytes it is told, with no HTTP library between. */
export class Recorder implements AsyncDisposable {
  readonly requests: RecordedHead[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #answer: Answering = (_, socket) => void socket.write(PLAIN_ANSWER);
  #connections = 0;
  #closed = 0;
  #received = "";

  constructor(tls?: RecorderTls) {
    const take = (socket: Socket) => this.#take(socket);
    this.#server = tls === undefined ? createServer(take) : createTlsServer(tls, take);
    // A client that refuses our certificate is a case under test.
    this.#server.on("tlsClientError", () => {});
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections were accepted. */
  get connections(): number {
    return this.#connections;
  }

  /** How many connections are gone. */
  get closedConnections(): number {
    return this.#closed;
  }

  /** Everything that came on all connections since the last {@link Recorder.reset}, of requests not complete too. */
  get received(): string {
    return this.#received;
  }

  /** Answers with these bytes from now on. */
  answerWith(answer: string | Answering): void {
    this.#answer = typeof answer === "string" ? (_, socket) => void socket.write(answer, "latin1") : answer;
  }

  /** Forgets the requests so far and answers a short 200 again. */
  reset(): void {
    this.requests.length = 0;
    this.#received = "";
    this.answerWith(PLAIN_ANSWER);
  }

  /** Resolves to request number `count`, from 1, once it is complete. */
  request(count = 1, options?: EventuallyOptions): Promise<RecordedHead> {
    return eventually(() => {
      const request = this.requests[count - 1];
      if (request === undefined) throw new Error(`${this.requests.length} of ${count} requests arrived`);
      return request;
    }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #take(socket: Socket): void {
    this.#connections += 1;
    const connection = this.#connections;
    let pending = "";
    this.#sockets.add(socket);
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed += 1;
      this.#sockets.delete(socket);
    });
    socket.on("data", (text: string) => {
      pending += text;
      this.#received += text;
      for (let read = readRequest(pending); read !== undefined; read = readRequest(pending)) {
        pending = pending.slice(read.length);
        const request = { ...read.request, connection };
        this.requests.push(request);
        this.#answer(request, socket);
      }
    });
  }
}

/** Starts a {@link Recorder}. */
export async function startRecorder(tls?: RecorderTls): Promise<Recorder> {
  const recorder = new Recorder(tls);
  await recorder.listen();
  return recorder;
}

/** The first complete request of a connection's bytes and how many of them it takes. */
function readRequest(
  text: string,
): { readonly request: Omit<RecordedHead, "connection">; readonly length: number } | undefined {
  const split = text.indexOf("\r\n\r\n");
  if (split === -1) return undefined;
  const [requestLine = "", ...lines] = text.slice(0, split).split("\r\n");
  const fields = lines.map(parseField);
  const rest = text.slice(split + 4);
  const firstOf = (name: string) => fields.find(([field]) => field === name)?.[1];
  if (firstOf("transfer-encoding") !== undefined) {
    const end = rest.indexOf("0\r\n\r\n");
    if (end === -1) return undefined;
    return { request: { requestLine, fields, body: dechunk(rest) }, length: split + 4 + end + 5 };
  }
  const bodyLength = Number(firstOf("content-length") ?? 0);
  if (rest.length < bodyLength) return undefined;
  return { request: { requestLine, fields, body: rest.slice(0, bodyLength) }, length: split + 4 + bodyLength };
}
