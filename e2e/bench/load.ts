import { connect, type Socket } from "node:net";

/** A fixed number of GET requests, or POST requests with a body, over keep-alive connections, one in flight on each. */
export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly requests: number;
  /** Sent beside those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** What came of it. `failed` counts answers other than 200. */
export interface LoadResult {
  readonly seconds: number;
  readonly failed: number;
}

/**
 * Sends the requests through raw sockets, so that the client costs little beside what it measures.
 * Every answer must carry a `Content-Length` or be chunked, and its head must arrive in one piece with the start of the body.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const state = { left: options.requests, failed: 0 };
  const started = performance.now();
  await Promise.all(Array.from({ length: options.connections }, () => oneConnection(options, state)));
  return { seconds: (performance.now() - started) / 1000, failed: state.failed };
}

function oneConnection(options: LoadOptions, state: { left: number; failed: number }): Promise<void> {
  const request = renderRequest(options);
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(options.port, "127.0.0.1");
    let pending = "";
    const next = () => {
      if (state.left === 0) {
        socket.end();
        resolve();
        return;
      }
      state.left -= 1;
      socket.write(request);
    };
    socket.setNoDelay(true);
    socket.on("connect", next);
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("data", (chunk: Buffer) => {
      pending += chunk.toString("latin1");
      const length = answerLength(pending);
      if (length === undefined || pending.length < length) return;
      if (!pending.startsWith("HTTP/1.1 200")) state.failed += 1;
      pending = pending.slice(length);
      next();
    });
  });
}

function renderRequest({ body, headers = {}, path, port }: LoadOptions): string {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (body !== undefined) more.push(`Content-Length: ${Buffer.byteLength(body)}\r\n`);
  const line = `${body === undefined ? "GET" : "POST"} ${path} HTTP/1.1\r\n`;
  const usual = `Host: 127.0.0.1:${port}\r\nUser-Agent: fngate-bench\r\nAccept: */*\r\n`;
  return `${line}${usual}${more.join("")}\r\n${body ?? ""}`;
}

/** Bytes of the answer at the start of `text`; nothing while its head or its last chunk is still to come. */
function answerLength(text: string): number | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const declared = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2));
  if (declared !== null) return end + 4 + Number(declared[1]);
  const last = text.indexOf("0\r\n\r\n", end + 4);
  return last < 0 ? undefined : last + 5;
}
