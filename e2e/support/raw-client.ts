import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type EventuallyOptions, eventually } from "@fngate/test-kit";
import { parseResponse, type RawResponse } from "./raw-response.ts";

/** A client that sends exactly the bytes it is told to. Text is latin1: one character per byte. */
export class RawClient implements AsyncDisposable {
  #received = "";
  #isClosed = false;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
    });
    // A gateway that cuts the connection is a case under test.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
    });
  }

  /** Everything that came so far. */
  get received(): string {
    return this.#received;
  }

  /** Whether the connection is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that the gateway has not taken yet, beyond what the machine keeps for it. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** Half-closes: nothing more will be sent. */
  end(): void {
    this.#socket.end();
  }

  /** Breaks the connection off, as a client that crashes does. */
  abort(): void {
    this.#socket.resetAndDestroy();
  }

  /** Resolves to what came once it holds `text`. */
  async until(text: string, options?: EventuallyOptions): Promise<string> {
    await eventually(() => {
      if (this.#received.includes(text)) return true;
      throw new Error(`waiting for ${JSON.stringify(text)}, got ${JSON.stringify(this.#received)}`);
    }, options);
    return this.#received;
  }

  /** Resolves to all that came once the other side has closed. */
  async untilClosed(options?: EventuallyOptions): Promise<string> {
    await eventually(() => {
      if (this.#isClosed) return true;
      throw new Error(`the connection is still open, got ${JSON.stringify(this.#received)}`);
    }, options);
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    const closed = once(this.#socket, "close");
    this.#socket.destroy();
    await closed;
  }
}

/** Connects a {@link RawClient}. */
export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return new RawClient(socket);
}

/** What {@link exchange} sends. */
export interface RawRequest {
  /** Default GET. */
  readonly method?: string;
  /** As it goes out: nothing is encoded. */
  readonly target: string;
  /** Complete field lines; `Host` and `Connection: close` are added unless given. */
  readonly fields?: readonly string[];
  /** As it goes out; framing fields are the caller's. */
  readonly body?: string;
}

/** Sends one request over a connection of its own and resolves to the complete answer. */
export async function exchange(port: number, request: RawRequest): Promise<RawResponse> {
  await using client = await rawClient(port);
  client.send(requestText(request));
  return parseResponse(await client.untilClosed({ deadlineMs: 15_000 }), request.method ?? "GET");
}

/** The request as bytes. */
export function requestText({ method = "GET", target, fields = [], body = "" }: RawRequest): string {
  const lines = [`${method} ${target} HTTP/1.1`, ...fields];
  if (!hasField(fields, "host")) lines.push("Host: gateway.test");
  if (!hasField(fields, "connection")) lines.push("Connection: close");
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function hasField(fields: readonly string[], name: string): boolean {
  return fields.some((field) => field.toLowerCase().startsWith(`${name}:`));
}
