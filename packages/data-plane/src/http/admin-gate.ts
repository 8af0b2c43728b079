import { pipeline } from "node:stream";
import { http, type Logger, messageOf } from "@fngate/kernel";
import type { ProxyAdminOptions } from "../options.ts";
import { type AddressList, compileAddressList } from "./address-list.ts";
import type { ClientExchange } from "./client-exchange.ts";
import { renderError } from "./reply.ts";
import type { AdminGate } from "./request-handler.ts";
import { reasonOf } from "./status-title.ts";

/** Fields of one connection; they are not passed on. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  "expect",
]);

/** Fields that tell the Admin API who asks; only the gateway may. */
const IDENTITY: ReadonlySet<string> = new Set(["x-real-ip"]);

/** A management call that takes longer is given up. */
const TIMEOUT_MS = 60_000;

/**
 * Passes `/apisix/admin` on to the Admin API, as APISIX did before it had a port of its own. The allowed peers are
 * told by their TCP address: no header can make somebody an administrator. That address goes along as `X-Real-IP`, in
 * place of what the client may have written there.
 */
export class ProxyAdminGate implements AdminGate {
  readonly #target: ProxyAdminOptions["target"];
  readonly #isAllowed: AddressList;
  readonly #logger: Logger;

  constructor(options: ProxyAdminOptions, logger: Logger) {
    this.#target = options.target;
    this.#isAllowed = compileAddressList(options.allowedAddresses);
    this.#logger = logger;
  }

  take(client: ClientExchange, path: string): boolean {
    if (!path.startsWith("/apisix/admin")) return false;
    const next = path.charAt("/apisix/admin".length);
    if ((next !== "" && next !== "/") || !this.#isAllowed(client.peerAddress)) return false;
    this.#pass(client);
    return true;
  }

  #pass(client: ClientExchange): void {
    const onError = (error: Error): void => {
      if (!client.isOpen) return;
      this.#logger.error({ reason: messageOf(error) }, "admin api cannot be reached");
      if (isAnswered) client.cut();
      else this.#fail(client);
    };
    let isAnswered = false;
    const outgoing = http.request({
      ...this.#address(),
      method: client.method,
      path: client.target,
      headers: [...passedFields(client.rawHeaders, IDENTITY), "X-Real-IP", client.peerAddress],
      timeout: TIMEOUT_MS,
      agent: false,
    });
    outgoing.on("error", onError);
    outgoing.on("timeout", () => outgoing.destroy(new Error("admin api timed out")));
    outgoing.on("response", (answer) => {
      isAnswered = true;
      client.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "", passedFields(answer.rawHeaders));
      answer.on("error", onError);
      answer.on("data", (chunk: Buffer) => {
        if (client.write(chunk)) return;
        answer.pause();
        client.onDrain(() => answer.resume());
      });
      answer.on("end", () => client.end());
    });
    client.onClose((isComplete) => {
      if (!isComplete) outgoing.destroy();
    });
    if (client.hasBody) pipeline(client.openBody(), outgoing, () => {});
    else outgoing.end();
  }

  #address(): { host: string; port: number } | { socketPath: string } {
    return "socketPath" in this.#target
      ? { socketPath: this.#target.socketPath }
      : { host: this.#target.host, port: this.#target.port };
  }

  #fail(client: ClientExchange): void {
    const { body, headers } = renderError(502);
    client.writeHead(502, reasonOf(502), [...headers.raw, "Content-Length", String(Buffer.byteLength(body))]);
    client.end(body);
  }
}

function passedFields(rawHeaders: readonly string[], left: ReadonlySet<string> = new Set()): string[] {
  const passed: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const key = name.toLowerCase();
    if (!HOP_BY_HOP.has(key) && !left.has(key)) passed.push(name, rawHeaders[index + 1] as string);
  }
  return passed;
}
