import type { Transform } from "node:stream";
import { chooseBodyEncoder, collectBodyFilters, type Pipeline, runHeaderFilters } from "@fngate/plugin-kit";
import type { ClientExchange } from "./client-exchange.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import { reasonOf } from "./status-title.ts";

/** Filters of the answer: the global rules' first, then the route's (APISIX: plugin phases). */
export interface ResponseFilters {
  readonly global: Pipeline;
  route: Pipeline;
}

/**
 * The way of one answer to the client: header filters, head, body filters, bytes. Counts what it sends.
 */
export class Downstream {
  readonly #context: ExchangeContext;
  readonly #client: ClientExchange;
  readonly #filters: ResponseFilters;
  #first: Transform | undefined;
  #isHeadSent = false;

  constructor(context: ExchangeContext, client: ClientExchange, filters: ResponseFilters) {
    this.#context = context;
    this.#client = client;
    this.#filters = filters;
  }

  get isHeadSent(): boolean {
    return this.#isHeadSent;
  }

  /**
   * Filters the context's answer and sends its head, with the gateway's reason phrase in place of an absent one or
   * when a filter changed the status. Throws `PLUGIN_FAILED`, or what a bad field makes Node throw.
   */
  sendHead(reason: string | undefined): void {
    const context = this.#context;
    const unfiltered = context.response.status;
    const { global, route } = this.#filters;
    runHeaderFilters(global.headerFilter, context);
    runHeaderFilters(route.headerFilter, context);
    const transforms = this.#transforms();
    const { status, headers } = context.response;
    // A filter may change the length, so the answer goes out chunked.
    if (transforms.length > 0) headers.delete("content-length");
    const isOwnReason = reason === undefined || status !== unfiltered;
    this.#client.writeHead(status, isOwnReason ? reasonOf(status) : reason, headers.raw);
    this.#isHeadSent = true;
    if (transforms.length > 0) this.#chain(transforms);
  }

  /** @returns false when the client is slower. */
  write(chunk: Uint8Array | string): boolean {
    return this.#first === undefined ? this.#send(chunk) : this.#first.write(chunk);
  }

  onDrain(resume: () => void): void {
    if (this.#first === undefined) this.#client.onDrain(resume);
    else this.#first.once("drain", resume);
  }

  /** Fields that follow the body, as far as the client can take such. */
  trailers(fields: readonly string[]): void {
    this.#client.trailers?.(fields);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#first !== undefined) this.#first.end(chunk);
    else {
      if (chunk !== undefined) this.#count(chunk);
      this.#client.end(chunk);
    }
  }

  /** Ends an answer that cannot be completed so that the client notices. */
  cut(): void {
    this.#first?.destroy();
    this.#client.cut();
  }

  /** What the body passes on its way: the filters, then the one that encodes it. */
  #transforms(): readonly Transform[] {
    const { global, route } = this.#filters;
    const context = this.#context;
    const hasFilters = global.bodyFilter.length + route.bodyFilter.length > 0;
    const filters = hasFilters
      ? [...collectBodyFilters(global.bodyFilter, context), ...collectBodyFilters(route.bodyFilter, context)]
      : NONE;
    if (global.encodeBody.length + route.encodeBody.length === 0) return filters;
    // The length that an encoder decides by is that of the body as it came, unless a filter changes it.
    if (filters.length > 0) context.response.headers.delete("content-length");
    const encoder = chooseBodyEncoder(global.encodeBody, context) ?? chooseBodyEncoder(route.encodeBody, context);
    return encoder === undefined ? filters : [...filters, encoder];
  }

  #send(chunk: Uint8Array | string): boolean {
    this.#count(chunk);
    return this.#client.write(chunk);
  }

  #count(chunk: Uint8Array | string): void {
    this.#context.captures?.add("response", chunk);
    this.#context.bytesSent += typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
  }

  #chain(transforms: readonly Transform[]): void {
    const [first, ...others] = transforms;
    if (first === undefined) return;
    this.#first = first;
    let last = first;
    for (const next of others) last = last.pipe(next);
    for (const transform of transforms) transform.once("error", () => this.cut());
    last.on("data", (chunk: Buffer) => {
      if (this.#send(chunk)) return;
      last.pause();
      this.#client.onDrain(() => last.resume());
    });
    last.once("end", () => this.#client.end());
  }
}

const NONE: readonly Transform[] = [];
