import type { IncomingMessage, ServerResponse } from "node:http";
import { type Duplex, pipeline, type Readable } from "node:stream";
import type { RequestTraffic } from "@fngate/plugin-kit";
import { BodyLimit } from "./body-limit.ts";
import { type ClientConnection, connectionOf } from "./client-connection.ts";
import type { ClientExchange, UpgradeHandover } from "./client-exchange.ts";
import type { ExchangeProgress } from "./stall-watch.ts";

/** A request on an HTTP/1 connection of `node:http`. */
export class Http1Exchange implements ClientExchange {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  readonly scheme: "http" | "https";
  readonly rawHeaders: readonly string[];
  readonly peerAddress: string;
  readonly localPort: number;
  readonly connection: ClientConnection;
  isPipelined = false;
  readonly hasBody: boolean;
  readonly declaredBytes: number | undefined;
  readonly upgrade: UpgradeHandover | undefined = undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #isContinueOwed: boolean;
  #endStatus: number | undefined = undefined;
  #bodyLimit: BodyLimit | undefined = undefined;

  /** @param isContinueOwed the client sent `Expect: 100-continue` and nobody answered yet. */
  constructor(request: IncomingMessage, response: ServerResponse, isContinueOwed: boolean) {
    this.#request = request;
    this.#response = response;
    this.#isContinueOwed = isContinueOwed;
    // A write that comes too late must not end the process; `close` tells what there is to know.
    response.on("error", ignore);
    this.method = request.method ?? "GET";
    this.target = request.url ?? "/";
    this.httpVersion = request.httpVersion;
    this.rawHeaders = request.rawHeaders;
    const connection = connectionOf(request.socket);
    this.connection = connection;
    this.scheme = connection.tls === undefined ? "http" : "https";
    this.peerAddress = connection.peerAddress;
    this.localPort = connection.localPort;
    const declared = request.headers["content-length"];
    this.declaredBytes = declared === undefined ? undefined : Number(declared);
    this.hasBody = this.declaredBytes === undefined ? "transfer-encoding" in request.headers : this.declaredBytes > 0;
  }

  get isOpen(): boolean {
    return !this.#response.destroyed;
  }

  get endStatus(): number | undefined {
    return this.#endStatus;
  }

  /** The socket's traffic so far and whether somebody waits: what the stall watch compares. */
  get progress(): ExchangeProgress {
    const { socket } = this.#request;
    return {
      receivedBytes: socket.bytesRead,
      sentBytes: socket.bytesWritten - socket.writableLength,
      isAwaitingClient: this.#isAwaitingBody() || socket.writableLength > 0,
    };
  }

  /** What the connection saw since the request before; a client that does not wait is counted a request too early. */
  takeTraffic(): RequestTraffic {
    const { connection } = this;
    const { bytesRead, bytesWritten } = this.#request.socket;
    const receivedBytes = bytesRead - connection.countedReceivedBytes;
    const sentBytes = bytesWritten - connection.countedSentBytes;
    connection.countedReceivedBytes = bytesRead;
    connection.countedSentBytes = bytesWritten;
    return { receivedBytes, sentBytes };
  }

  /** Bounds a body whose length nobody declared; before it is opened. */
  limitBody(maxBytes: number, onExceeded: () => void): void {
    if (this.hasBody && this.declaredBytes === undefined) this.#bodyLimit = new BodyLimit(maxBytes, onExceeded);
  }

  openBody(): Readable {
    if (this.#isContinueOwed) {
      this.#isContinueOwed = false;
      this.#response.writeContinue();
    }
    if (this.#bodyLimit === undefined) return this.#request;
    if (this.#request.listenerCount("data") === 0) pipeline(this.#request, this.#bodyLimit, () => {});
    return this.#bodyLimit;
  }

  writeHead(status: number, reason: string, headers: readonly string[]): void {
    // The cast only drops `readonly`: Node reads the list and keeps nothing of it.
    // A client that still waits for `100 Continue` may or may not send its body: what follows cannot be told apart.
    if (this.#isContinueOwed) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(status, reason, headers as string[]);
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#response.write(chunk);
  }

  onDrain(resume: () => void): void {
    this.#response.once("drain", resume);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.hasBody && !this.#request.complete) lingerBeforeClose(this.#request);
    if (Buffer.isBuffer(chunk) && chunk.length <= ONE_PIECE_BYTES)
      this.#response.end(chunk.toString("latin1"), "latin1");
    else this.#response.end(chunk);
  }

  /** Tells whether the request came on that connection. */
  isOn(socket: Duplex): boolean {
    return this.#request.socket === socket;
  }

  /** Whether part of the answer is out already. */
  get isAnswering(): boolean {
    return this.#response.headersSent;
  }

  /** Whether the request has arrived to its end: what fails on the connection afterwards is not about it. */
  get hasWholeRequest(): boolean {
    return this.#request.complete;
  }

  /** Answers with `Connection: close` from here on. */
  closeAfterAnswer(): void {
    if (!this.#response.headersSent) this.#response.shouldKeepAlive = false;
  }

  cut(): void {
    this.#request.socket.destroy();
  }

  /**
   * Ends the exchange without its answer, as far as anybody else is concerned, and gives the connection back for last
   * words; only while nothing is answered yet.
   */
  abandon(status: number): Duplex {
    const { socket } = this.#request;
    this.#endStatus = status;
    this.#response.detachSocket(socket);
    this.#response.destroy();
    return socket;
  }

  onClose(listener: (isComplete: boolean) => void): void {
    this.#response.on("close", () => {
      listener(this.#response.writableFinished);
      if (!this.#request.complete) lingerThenClose(this.#request);
    });
  }

  #isAwaitingBody(): boolean {
    const request = this.#request;
    return this.hasBody && !request.complete && !this.#isContinueOwed && !request.isPaused();
  }
}

/**
 * Bodies up to this size end an answer as text, one character per byte: Node puts head and text into one piece and
 * bytes into another.
 */
const ONE_PIECE_BYTES = 8_192;

function ignore(): void {}

/** How long a client may go on sending a body that nobody wants any more (nginx: lingering_timeout). */
const LINGER_MS = 5_000;

/** Lets the rest of a body run into the void for a while: closing at once could take the answer with it. */
function lingerThenClose(request: IncomingMessage): void {
  const { socket } = request;
  if (socket.destroyed) return;
  const timer = setTimeout(() => {
    if (!request.complete) socket.destroy();
  }, LINGER_MS);
  timer.unref();
  request.once("end", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
}

/**
 * Keeps Node from closing the connection behind its last answer while the body of that request still comes: bytes that
 * nobody reads turn the close into a reset, which takes the answer with it. {@link lingerThenClose} bounds the wait.
 */
function lingerBeforeClose(request: IncomingMessage): void {
  const { socket } = request;
  socket.destroySoon = () => {
    // Back to what every socket does: the connection may live on if this request's body ended in time.
    Reflect.deleteProperty(socket, "destroySoon");
    if (request.complete) {
      socket.destroySoon();
      return;
    }
    socket.end();
    request.once("end", () => socket.destroySoon()).resume();
  };
}
