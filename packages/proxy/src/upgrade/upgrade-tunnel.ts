import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Endpoint } from "@fngate/kernel";
import type { AttemptFailure } from "../exchange.ts";
import { pooled } from "../http/pooled-endpoint.ts";
import { createHttpProxy } from "./http-proxy.ts";
import { TunnelSession, type TunnelStart } from "./tunnel-session.ts";

/** A client's request for another protocol, as Node's `upgrade` event delivers it. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Path and query in origin form, sent as they are. */
  readonly target: string;
  /** Flat, prepared, with `Host`; `Connection` and `Upgrade` are added. */
  readonly headers: readonly string[];
}

/** How an upgrade ended; every socket is closed, or closing, by then. */
export type UpgradeOutcome =
  /** Both sides talked; `status` is 101. */
  | { readonly kind: "tunnelled"; readonly status: 101 }
  /** The upstream answered without switching; its answer went to the client. */
  | { readonly kind: "declined"; readonly status: number }
  /** No answer came; the client got `status`. */
  | { readonly kind: "failed"; readonly status: number; readonly failure: AttemptFailure }
  /** The client went away, or {@link UpgradeExchange.cancel} was called, before an answer came. */
  | { readonly kind: "cancelled" };

/** A running upgrade. */
export interface UpgradeExchange {
  /** Resolves when the tunnel is closed; never rejects. */
  readonly outcome: Promise<UpgradeOutcome>;
  /** Cuts both sides. */
  cancel(): void;
}

/** The answer to a client whose upgrade failed. */
export interface FailureAnswer {
  readonly contentType: string;
  readonly body: string;
}

/** Settings of {@link createUpgradeTunnel}. */
export interface UpgradeTunnelOptions {
  /** Makes the body for a failure's status and reason; default: an empty one. */
  readonly renderFailure?: (status: number, reason: AttemptFailure["reason"]) => FailureAnswer;
}

/** Carries WebSocket upgrades to an HTTP/1.1 endpoint. */
export interface UpgradeTunnel {
  open(endpoint: Endpoint, upgrade: UpgradeRequest): UpgradeExchange;
}

/**
 * Creates the carrier of WebSocket upgrades, http-proxy underneath.
 *
 * Connecting is bounded by the target's `connectMs`, the wait for its answer by `readMs`; an open tunnel is cut
 * after `readMs` without a byte in either direction (nginx: proxy_read_timeout). When one side closes, so does the other. An
 * upstream that declines is relayed; a failure is answered with 502 or 504.
 *
 * @throws GatewayError `UPSTREAM_INVALID` from `open` for an endpoint of HTTP/2, or one that was not acquired from this
 *   package
 */
export function createUpgradeTunnel(options: UpgradeTunnelOptions = {}): UpgradeTunnel {
  const proxy = createHttpProxy();
  const sessions = new WeakMap<IncomingMessage, TunnelSession>();
  proxy.on("proxyReqWs", (upstreamRequest, request) => sessions.get(request)?.onUpstreamRequest(upstreamRequest));
  return {
    open(endpoint, upgrade) {
      const start: TunnelStart = { proxy, endpoint: pooled(endpoint), upgrade, renderFailure: options.renderFailure };
      const session = new TunnelSession(start);
      sessions.set(session.outgoing, session);
      session.start();
      return session;
    },
  };
}
