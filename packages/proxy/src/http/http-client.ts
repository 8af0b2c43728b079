import { createRequire } from "node:module";
import { getCACertificates } from "node:tls";
import {
  GatewayError,
  type HttpAnswer,
  type HttpCall,
  type HttpClient,
  lazy,
  messageOf,
  timerDelay,
} from "@fngate/kernel";
import type { Agent, Dispatcher } from "undici";

const require = createRequire(import.meta.url);
/** Loaded for the first call: only some plugins call a service. */
const undici = lazy((): typeof import("undici") => require("undici"));

/** Settings of {@link createHttpClient}. */
export interface HttpClientOptions {
  /** PEM certificates trusted beside Node's own and the system's. */
  readonly caCertificates?: readonly string[];
}

/** The gateway's own client and its end. */
export interface ClosableHttpClient extends HttpClient {
  /** Cuts what is under way. */
  destroy(): Promise<void>;
}

const DEFAULT_MAX_ANSWER_BYTES = 1024 * 1024;

/** Connections to one service; more calls than that wait, and count their time. */
const CONNECTIONS_PER_ORIGIN = 64;

/** How long a connection that no call uses is kept, milliseconds. */
const IDLE_MS = 30_000;

/**
 * Makes the client for calls of the gateway's own: one pool of connections for calls that check certificates, one for
 * those that do not.
 */
export function createHttpClient({ caCertificates = [] }: HttpClientOptions = {}): ClosableHttpClient {
  return new UndiciHttpClient(caCertificates);
}

class UndiciHttpClient implements ClosableHttpClient {
  readonly #caCertificates: readonly string[];
  #verifying: Agent | undefined;
  #trusting: Agent | undefined;

  constructor(caCertificates: readonly string[]) {
    this.#caCertificates = caCertificates;
  }

  async call(call: HttpCall): Promise<HttpAnswer> {
    const late = AbortSignal.timeout(timerDelay(call.timeoutMs));
    const signal = call.signal === undefined ? late : AbortSignal.any([late, call.signal]);
    try {
      const answer = await undici().request(call.url, { ...this.#optionsOf(call), signal });
      const body = await readAnswer(answer.body, call.maxAnswerBytes ?? DEFAULT_MAX_ANSWER_BYTES);
      return { status: answer.statusCode, headers: flatten(answer.headers), body };
    } catch (cause) {
      const reason = late.aborted ? "timeout" : call.signal?.aborted === true ? "cancelled" : messageOf(cause);
      const host = URL.canParse(call.url) ? new URL(call.url).host : "an unreadable address";
      throw new GatewayError("HTTP_CALL_FAILED", `calling ${host} failed: ${reason}`, { cause, details: { reason } });
    }
  }

  async destroy(): Promise<void> {
    await Promise.all([this.#verifying?.destroy(), this.#trusting?.destroy()]);
  }

  #optionsOf({ body, headers = [], keepalive = true, method, verifyTls = true }: HttpCall) {
    return {
      method: method as Dispatcher.HttpMethod,
      headers: [...headers],
      body: body ?? null,
      // Undici's own reset keeps a connection from being used again.
      reset: !keepalive,
      dispatcher: verifyTls ? this.#verifyingAgent() : this.#trustingAgent(),
    };
  }

  #verifyingAgent(): Agent {
    this.#verifying ??= createAgent({
      ca: [...getCACertificates("default"), ...getCACertificates("system"), ...this.#caCertificates],
    });
    return this.#verifying;
  }

  #trustingAgent(): Agent {
    this.#trusting ??= createAgent({ rejectUnauthorized: false });
    return this.#trusting;
  }
}

function createAgent(connect: { readonly ca?: string[]; readonly rejectUnauthorized?: boolean }): Agent {
  const { Agent } = undici();
  return new Agent({ connect, connections: CONNECTIONS_PER_ORIGIN, keepAliveTimeout: IDLE_MS, pipelining: 1 });
}

async function readAnswer(body: AsyncIterable<unknown>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
  const flat: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of value === undefined ? [] : [value].flat()) flat.push(name, one);
  }
  return flat;
}
