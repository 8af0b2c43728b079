import { type Clock, messageOf } from "@fngate/kernel";
import type { Match } from "@fngate/router";
import type { CompiledRoute, Snapshot } from "../compile/snapshot.ts";
import type { SnapshotCell } from "../snapshot-cell.ts";
import type { Admission, AdmittedRequest } from "./admission.ts";
import type { BodyVariableLimits } from "./body-variables.ts";
import { certificateProblem } from "./client-certificate-rule.ts";
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
  readonly bodyVariables: BodyVariableLimits;
}

/** Answers requests: admission, routing, plan, phases. Knows nothing of the HTTP version that carries them. */
export class RequestHandler {
  readonly #options: HandlerOptions;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  /** Takes charge of a request. Never throws. */
  handle(client: ClientExchange): void {
    this.#guard(client, () => this.#open(client));
  }

  /** Nothing is known to throw here; should something, it costs this request and not the process. */
  #guard(client: ClientExchange, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#options.run.logger.error({ reason: messageOf(error) }, "request cannot be handled");
      client.cut();
    }
  }

  /** Admits and starts a request, or answers it at once. */
  #open(client: ClientExchange): void {
    const { admission, adminGate, clock, run } = this.#options;
    run.stats.totalRequests += 1;
    // A request that a plugin makes is not one of the client's.
    if (client.connection !== undefined && client.depth === undefined) client.connection.requests += 1;
    const admitted = admission.admit(client);
    if (typeof admitted === "number") {
      this.#refuse(client, admitted);
      return;
    }
    if (client.connection?.tls !== undefined && !this.#isCertified(client, admitted)) return;
    if (adminGate?.take(client, admitted.request.path) === true) return;
    this.#route({ client, admitted, started: { atMs: clock.now(), monotonicMs: clock.monotonicMs() } }, true);
  }

  /** Whether the client showed the certificate that the request needs; answers it when not. */
  #isCertified(client: ClientExchange, { request }: AdmittedRequest): boolean {
    const tls = client.connection?.tls;
    const problem = tls && certificateProblem(tls, request, this.#options.cell.current);
    if (problem === undefined) return true;
    this.#options.run.logger.error(
      { client: client.peerAddress, host: request.host, reason: problem },
      "request refused",
    );
    this.#refuse(client, 400);
    return false;
  }

  /** Finds the route; where that takes a look into the body, once more when it has been read. */
  #route(arrival: Arrival, mayReadBody: boolean): void {
    const { bodyVariables, cell, run } = this.#options;
    const { admitted, client, started } = arrival;
    const snapshot = cell.current;
    const variables = new RequestVariables(admitted.request, started.atMs, bodyVariables);
    const match = matchRequest(snapshot, admitted, variables);
    if (mayReadBody && variables.wantedBodyBytes > 0) {
      this.#readThenRoute(arrival, variables.wantedBodyBytes);
      return;
    }
    const plan = planRequest(snapshot, match);
    const context = new ExchangeContext(admitted.request, plan.route, { ...started, snapshot, variables });
    new ExchangeRun(client, context, { plan, deps: run }).start();
  }

  #readThenRoute(arrival: Arrival, maxBytes: number): void {
    const { admitted, client } = arrival;
    const finish = (): void =>
      this.#guard(client, () => (client.isOpen ? this.#route(arrival, false) : this.#lose(arrival)));
    admitted.request.body.peek(maxBytes).then(finish, finish);
  }

  /** A client that left, or was answered by the listener, before its route was known. */
  #lose({ admitted, client, started }: Arrival): void {
    const { cell, clock, run } = this.#options;
    const variables = new RequestVariables(admitted.request, started.atMs);
    const start = { ...started, snapshot: cell.current, variables };
    const context = new ExchangeContext(admitted.request, undefined, start);
    context.response.status = client.endStatus ?? CLIENT_GONE;
    context.timings.totalMs = clock.monotonicMs() - started.monotonicMs;
    run.onFinished(context);
  }

  /** Whether an upgrade request may become a WebSocket; everything else about it is decided when it is handled. */
  mayUpgrade(client: ClientExchange): boolean {
    const { admission, cell, clock } = this.#options;
    const admitted = admission.admit(client);
    if (typeof admitted === "number") return false;
    const snapshot = cell.current;
    const match = matchRequest(snapshot, admitted, new RequestVariables(admitted.request, clock.now()));
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

/** nginx's word for a client that did not wait; logged only. */
const CLIENT_GONE = 499;

/** A request that was let in. */
interface Arrival {
  readonly client: ClientExchange;
  readonly admitted: AdmittedRequest;
  readonly started: { readonly atMs: number; readonly monotonicMs: number };
}

function matchRequest(
  snapshot: Snapshot,
  { request, matchPath }: AdmittedRequest,
  variables: RequestVariables,
): Match<CompiledRoute> | undefined {
  return snapshot.router.match({
    method: request.method,
    path: matchPath,
    host: request.host,
    remoteAddress: request.remoteAddress,
    variables,
  });
}
