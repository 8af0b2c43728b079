import type {
  AttemptFailure,
  AttemptOutcome,
  Exchange,
  Forwarder,
  OutgoingRequest,
  ResponseSink,
} from "../exchange.ts";
import type { VariableReader } from "./balancers/balancer.ts";
import type { CompiledUpstream } from "./compiled-upstream.ts";
import { CLIENT_CLOSED_REQUEST, isIdempotent, isRetried, statusOf } from "./failure-status.ts";
import { readBody } from "./read-body.ts";
import type { UpstreamNode } from "./upstream-node.ts";

/** Declared bodies up to this size are kept for another attempt; larger ones go straight through. */
const REPLAY_LIMIT_BYTES = 64 * 1024;

/** One request to an upstream. */
export interface UpstreamCall {
  readonly upstream: CompiledUpstream;
  readonly forwarder: Forwarder;
  /** `headers` without `Host`: it depends on the node. */
  readonly request: OutgoingRequest;
  /** The client's `Host`, sent under `pass_host: pass`; empty: the node's address is sent. */
  readonly host: string;
  readonly sink: ResponseSink;
  /** The body is not kept for another attempt; default false. */
  readonly isBodyStreamed?: boolean;
  /** Variables of the request, for upstreams that are keyed. */
  readonly variable?: VariableReader | undefined;
}

/** One try of one node. */
export interface UpstreamAttempt {
  readonly node: UpstreamNode;
  /** The node's status, else what its failure stands for: one item of `X-APISIX-Upstream-Status`. */
  readonly status: number;
  /** Absent when the node answered completely. */
  readonly failure: AttemptFailure | undefined;
}

/** How a call ended. */
export interface UpstreamResult {
  /** Of the last attempt; absent when there was no node to try. */
  readonly outcome: AttemptOutcome | undefined;
  /** In order; empty when there was no node. */
  readonly attempts: readonly UpstreamAttempt[];
  /**
   * What the client gets or got: the node's status, 502 or 504 for a failure, 502 when every node or the time for
   * retries was used up, 503 without nodes, 499 for a client that went away.
   */
  readonly status: number;
}

/** A running call. */
export interface UpstreamExchange {
  /** Never rejects. */
  readonly result: Promise<UpstreamResult>;
  /** The attempts that have ended so far, in order. */
  readonly attempts: readonly UpstreamAttempt[];
  /** The node that is tried, or was tried last; absent before that. */
  readonly node: UpstreamNode | undefined;
  /** Aborts the running attempt and starts no other. */
  cancel(): void;
}

/**
 * Sends a request to a node of an upstream and, when it fails before a byte reached the client, to other nodes.
 *
 * What is retried: no connection, silence, and connections closed before a complete head, `upstream.retries` times,
 * no node twice, within `retryTimeoutMs`; never a status of the upstream. POST, PATCH and LOCK, and bodies that
 * cannot be replayed, only as long as nothing was sent (APISIX: nginx `proxy_next_upstream` defaults).
 */
export function forwardToUpstream(call: UpstreamCall): UpstreamExchange {
  return new AttemptLoop(call);
}

class AttemptLoop implements UpstreamExchange {
  readonly result: Promise<UpstreamResult>;
  readonly #call: UpstreamCall;
  readonly attempts: UpstreamAttempt[] = [];
  node: UpstreamNode | undefined = undefined;
  /** When time for retries began to run; read only where it is limited. */
  readonly #startedMs: number;
  #request: OutgoingRequest;
  #exchange: Exchange | undefined;
  #tried: Set<UpstreamNode> | undefined;
  #isCancelled = false;

  constructor(call: UpstreamCall) {
    this.#call = call;
    this.#request = call.request;
    this.#startedMs = call.upstream.retryTimeoutMs > 0 ? performance.now() : 0;
    this.result = this.#run();
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#exchange?.cancel();
  }

  async #run(): Promise<UpstreamResult> {
    const { upstream } = this.#call;
    const preparing = upstream.prepare();
    if (preparing !== undefined) await preparing;
    if (this.#wantsReplay()) {
      const failure = await this.#keepBody();
      if (failure !== undefined) return this.#resultOf(failure, statusOf(failure));
    }
    let node = upstream.pick(undefined, this.#call.variable);
    if (node === undefined) return this.#resultOf(undefined, 503);
    for (;;) {
      if (this.#isCancelled) return this.#resultOf({ kind: "cancelled" }, CLIENT_CLOSED_REQUEST);
      this.node = node;
      const startedMs = this.#begin(node);
      const outcome = await this.#attempt(node);
      this.#record(node, outcome);
      const isFinal = !this.#isFollowed(outcome);
      upstream.observer?.onEnd(node, { outcome, tookMs: performance.now() - startedMs, isFinal });
      if (isFinal) return this.#resultOf(outcome, this.#finalStatusOf(outcome));
      const next = this.#nodeAfter(node);
      if (next === undefined) return this.#resultOf(outcome, this.#isUnresolved() ? 503 : 502);
      node = next;
    }
  }

  /** When the attempt began; asked for only where somebody is told. */
  #begin(node: UpstreamNode): number {
    const { observer } = this.#call.upstream;
    if (observer === undefined) return 0;
    observer.onStart(node);
    return performance.now();
  }

  #attempt(node: UpstreamNode): Promise<AttemptOutcome> {
    const { forwarder, host, sink } = this.#call;
    const { method, target, headers, body } = this.#request;
    const nodeHost = node.hostHeader ?? (host === "" ? node.address : host);
    const request = { method, target, headers: ["host", nodeHost].concat(headers), body };
    this.#exchange = forwarder.forward(node.endpointFor(nodeHost), request, sink);
    return this.#exchange.outcome;
  }

  #record(node: UpstreamNode, outcome: AttemptOutcome): void {
    const failure = outcome.kind === "failed" || outcome.kind === "truncated" ? outcome.failure : undefined;
    this.attempts.push({ node, status: statusOf(outcome), failure });
  }

  /** The node of another attempt; nothing when all were tried or the time for retries is over. */
  #nodeAfter(node: UpstreamNode): UpstreamNode | undefined {
    const { upstream } = this.#call;
    this.#tried ??= new Set();
    this.#tried.add(node);
    const isLate = upstream.retryTimeoutMs > 0 && performance.now() - this.#startedMs >= upstream.retryTimeoutMs;
    return isLate ? undefined : upstream.pick(this.#tried, this.#call.variable);
  }

  /** Whether another attempt is to follow one that ended like this, if there is a node for it. */
  #isFollowed(outcome: AttemptOutcome): boolean {
    return outcome.kind === "failed" && this.#mayRetry(outcome.failure);
  }

  #mayRetry(failure: AttemptFailure): boolean {
    if (this.#isCancelled || this.attempts.length > this.#call.upstream.retries) return false;
    const isReplayable = this.#request.body.kind !== "stream" || failure.isUnsent;
    return isReplayable && isRetried(failure, this.#request.method);
  }

  /** Keeping a body is of use only where a sent request may be sent again. */
  #wantsReplay(): boolean {
    if (this.#call.isBodyStreamed === true) return false;
    const { body, method } = this.#request;
    if (body.kind !== "stream" || body.lengthBytes === undefined || body.lengthBytes > REPLAY_LIMIT_BYTES) return false;
    const { upstream } = this.#call;
    return upstream.retries > 0 && upstream.nodes.length > 0 && isIdempotent(method);
  }

  async #keepBody(): Promise<AttemptOutcome | undefined> {
    const { body } = this.#request;
    if (body.kind !== "stream") return undefined;
    try {
      const bytes = await readBody(body.stream, body.lengthBytes ?? 0);
      this.#request = { ...this.#request, body: { kind: "bytes", bytes } };
      return undefined;
    } catch (error) {
      if (this.#isCancelled) return { kind: "cancelled" };
      const cause = error instanceof Error ? error : new Error("request body unreadable", { cause: error });
      return { kind: "failed", failure: { reason: "request-body", isUnsent: true, cause } };
    }
  }

  #finalStatusOf(outcome: AttemptOutcome): number {
    if (this.#isCancelled && outcome.kind !== "responded") return CLIENT_CLOSED_REQUEST;
    const status = statusOf(outcome);
    return status === 503 && outcome.kind === "failed" && !this.#isUnresolved() ? 502 : status;
  }

  /** No node of the upstream could be resolved: the same to a client as having none. */
  #isUnresolved(): boolean {
    return this.attempts.every(({ failure }) => failure?.reason === "unresolved");
  }

  #resultOf(outcome: AttemptOutcome | undefined, status: number): UpstreamResult {
    return { outcome, attempts: this.attempts, status };
  }
}
