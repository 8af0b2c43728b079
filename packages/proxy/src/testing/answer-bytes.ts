import { Client, type Dispatcher } from "undici";
import { responseHeaders } from "../headers/response-headers.ts";
import { AnswerParser } from "../http/answer-parser.ts";
import { BadResponseError } from "../http/failure.ts";
import { type RawServer, startRawServer } from "./raw-server.ts";

/** What a reader made of an answer; `refused` when it did not take it to its end. */
export type Reading = "refused" | { status: number; reason: string; headers: readonly string[]; body: string };

/** What our parser made of it. */
export interface OwnReading {
  readonly reading: Reading;
  /** A head was handed on, whatever came of the answer. */
  readonly hasHead: boolean;
  readonly isReusable: boolean;
}

/** Reads an answer that ends with its connection, cut into `pieces`, with our parser. */
export function readOwn(pieces: readonly Buffer[], isHeadRequest = false): OwnReading {
  const parser = new AnswerParser();
  let head: { status: number; reason: string; headers: readonly string[] } | undefined;
  const chunks: string[] = [];
  let isReusable: boolean | undefined;
  const handler = {
    onHead: (seen: NonNullable<typeof head>) => {
      head = { status: seen.status, reason: plain(seen.reason), headers: seen.headers };
    },
    onBody: (view: Buffer) => void chunks.push(view.toString("latin1")),
    onAnswerEnd: (reusable: boolean) => {
      isReusable = reusable;
    },
  };
  parser.begin(handler, isHeadRequest);
  try {
    for (const piece of pieces) parser.push(piece);
    parser.finish();
  } catch (error) {
    if (!(error instanceof BadResponseError)) throw error;
  }
  if (head === undefined || isReusable === undefined) {
    return { reading: "refused", hasHead: head !== undefined, isReusable: false };
  }
  return { reading: { ...head, body: chunks.join("") }, hasHead: true, isReusable };
}

/** Reads answers with undici, as a reference. */
export class UndiciReader implements AsyncDisposable {
  readonly #server: RawServer;
  readonly #answers: { next: Buffer };

  static async start(): Promise<UndiciReader> {
    const answers = { next: Buffer.alloc(0) };
    const server = await startRawServer(({ socket }) => socket.end(answers.next));
    return new UndiciReader(server, answers);
  }

  private constructor(server: RawServer, answers: { next: Buffer }) {
    this.#server = server;
    this.#answers = answers;
  }

  async read(answer: Buffer, method: "GET" | "HEAD"): Promise<Reading> {
    this.#answers.next = answer;
    const client = new Client(`http://127.0.0.1:${this.#server.port}`);
    const reading = await dispatch(client, method);
    await client.destroy();
    return reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

function dispatch(client: Client, method: "GET" | "HEAD"): Promise<Reading> {
  let head: { status: number; reason: string; headers: readonly string[] } | undefined;
  let body = "";
  return new Promise((resolve) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      // biome-ignore lint/complexity/useMaxParams: undici's signature
      onResponseStart: (controller, status, _headers, reason = "") => {
        const raw = Array.isArray(controller.rawHeaders) ? controller.rawHeaders : [];
        if (status >= 200) head = { status, reason: plain(reason), headers: trimmed(responseHeaders(raw)) };
      },
      onResponseData: (_controller, chunk) => {
        body += chunk.toString("latin1");
      },
      onResponseEnd: () => resolve(head === undefined ? "refused" : { ...head, body }),
      onResponseError: () => resolve("refused"),
    };
    client.dispatch({ method, path: "/" }, handler);
  });
}

/** undici takes reason phrases for UTF-8, which loses what is none. */
function plain(reason: string): string {
  return reason.replace(/[^\t -~]/g, "?");
}

/** undici leaves the blanks behind a value, which are no part of it (RFC 9112 section 5). */
function trimmed(headers: readonly string[]): string[] {
  return headers.map((text) => text.replace(/[\t ]+$/, ""));
}
