import { type Clock, messageOf } from "@fngate/kernel";
import type { Match } from "@fngate/router";
import type { CompiledRoute, Snapshot } from "../compile/snapshot.ts";
import type { SnapshotCell } from "../snapshot-cell.ts";
import type { Admission, AdmittedRequest } from "./admission.ts";
import type { ClientExchange } from "./client-exchange.ts";
import { ExchangeContext } from "./exchange-context.ts";
import { ExchangeRun, type RunDeps } from "./exchange-run.ts";
import { renderError } from "./reply.ts";
import { isWebsocketRoute, planRequest } from "./request-plan.ts";
import { RequestVariables } from "./request-variables.ts";
import { reasonOf } from "./status-title.ts";

/** Takes requests that belong to the Admin API off the data-plane port. */
export interface AdminGate {
  /** Handles the request when it is one of those, and says so. */
  take(client: ClientExchange, path: string): boolean;
}

export interface HandlerOptions {
  readonly cell: SnapshotCell;
  readonly admission: Admission;
  readonly adminGate: AdminGate | undefined;
  readonly run: RunDeps;
  readonly clock: Clock;
}

/** Answers requests: admission, routing, plan, phases. Knows nothing of the HTTP version that carries them. */
export class RequestHandler {
  readonly #options: HandlerOptions;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  /** Takes charge of a request. Never throws. */
  handle(client: ClientExchange): void {
    try {
      this.#open(client)?.start();
    } catch (error) {
      // Nothing is known to throw here; should something, it costs this request and not the process.
      this.#options.run.logger.error({ reason: messageOf(error) }, "request cannot be handled");
      client.cut();
    }
  }

  /** Admits and plans a request; nothing when it is answered already. */
  #open(client: ClientExchange): ExchangeRun | undefined {
    const { admission, adminGate, cell, clock, run } = this.#options;
    run.stats.totalRequests += 1;
    const admitted = admission.admit(client);
    if (typeof admitted === "number") {
      this.#refuse(client, admitted);
      return undefined;
    }
    if (adminGate?.take(client, admitted.request.path) === true) return undefined;
    const snapshot = cell.current;
    const plan = planRequest(snapshot, matchRequest(snapshot, admitted));
    const started = { atMs: clock.now(), monotonicMs: clock.monotonicMs() };
    const context = new ExchangeContext(admitted.request, plan.route, started);
    return new ExchangeRun(client, context, { plan, deps: run });
  }

  /** Whether an upgrade request may become a WebSocket; everything else about it is decided when it is handled. */
  mayUpgrade(client: ClientExchange): boolean {
    const { admission, cell } = this.#options;
    const admitted = admission.admit(client);
    if (typeof admitted === "number") return false;
    const snapshot = cell.current;
    const match = matchRequest(snapshot, admitted);
    return match !== undefined && isWebsocketRoute(snapshot, match.value);
  }

  #refuse(client: ClientExchange, status: number): void {
    const { body, headers } = renderError(status);
    headers.append("Content-Length", String(Buffer.byteLength(body)));
    headers.append("Server", this.#options.run.serverHeader);
    headers.append("Connection", "close");
    client.writeHead(status, reasonOf(status), headers.raw);
    client.end(body);
  }
}

function matchRequest(snapshot: Snapshot, { request, matchPath }: AdmittedRequest): Match<CompiledRoute> | undefined {
  return snapshot.router.match({
    method: request.method,
    path: matchPath,
    host: request.host,
    remoteAddress: request.remoteAddress,
    variables: new RequestVariables(request),
  });
}
