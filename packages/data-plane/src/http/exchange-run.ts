import { type Clock, type GatewayError, HeaderList, isGatewayError, type Logger, messageOf } from "@fngate/kernel";
import {
  EMPTY_PIPELINE,
  type FunctionCall,
  isPending,
  type PhaseResult,
  type Pipeline,
  type Reply,
  type RequestHook,
  runLogPhase,
  runRequestPhase,
} from "@fngate/plugin-kit";
import type { CompiledUpstream, Forwarder, UpgradeTunnel } from "@fngate/proxy";
import type { ConsumerOverlays } from "../compile/consumer-overlays.ts";
import type { FailureSide, RequestStats } from "../metrics/request-stats.ts";
import { addCharset } from "./answer-headers.ts";
import { runBeforeProxy } from "./before-proxy.ts";
import type { ClientExchange } from "./client-exchange.ts";
import { Downstream } from "./downstream.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import { ExchangeTrace } from "./exchange-trace.ts";
import { FunctionCarrier } from "./function-carrier.ts";
import { type RenderedReply, renderError, renderNotFound, renderReply } from "./reply.ts";
import { asCalled, type RequestPlan, releasePlan } from "./request-plan.ts";
import { reasonOf } from "./status-title.ts";
import { TunnelCarrier } from "./tunnel-carrier.ts";
import { UpstreamCarrier } from "./upstream-carrier.ts";

/** What every request uses. */
export interface RunDeps {
  readonly forwarder: Forwarder;
  readonly tunnel: UpgradeTunnel;
  readonly stats: RequestStats;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly serverHeader: string;
  /** What text types get that name no charset; absent: nothing. */
  readonly charset: string | undefined;
  readonly showUpstreamStatus: boolean;
  readonly overlays: ConsumerOverlays;
  /** Whether the access log asks for what an {@link ExchangeTrace} measures. */
  readonly isTraced: boolean;
  /** Longest wait for one phase of one plugin, milliseconds. */
  readonly pluginDeadlineMs: number;
  /** Called once per request that got an answer or lost its client. */
  readonly onFinished: (context: ExchangeContext) => void;
}

/** Something under way for a request that ends with it. */
export interface Cancellable {
  cancel(): void;
}

/** One request from its first phase to its log line. */
export class ExchangeRun {
  readonly context: ExchangeContext;
  readonly client: ClientExchange;
  readonly downstream: Downstream;
  readonly plan: RequestPlan;
  readonly deps: RunDeps;
  /** What is cancelled when the client leaves. */
  running: Cancellable | undefined;
  #isClosed = false;
  /** The request phase that runs or ran last. */
  #phase = -1;

  constructor(client: ClientExchange, context: ExchangeContext, parts: { plan: RequestPlan; deps: RunDeps }) {
    this.client = client;
    this.context = context;
    this.plan = parts.plan;
    this.deps = parts.deps;
    this.downstream = new Downstream(context, client, parts.plan.filters);
    this.running = undefined;
    const { global, route } = parts.plan.filters;
    if (parts.deps.isTraced || seesAnswer(global) || seesAnswer(route)) this.#trace();
    client.onClose((isComplete) => this.#finish(isComplete));
  }

  /** The client left, or the answer is complete. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Runs the request phases, then whatever answers. Never throws. */
  start(): void {
    const { refusal } = this.plan;
    if (refusal !== undefined) this.fail(refusal);
    else this.#guard(() => this.#runPhases(0));
  }

  /** Takes down that an upstream or function failed, for metrics and logs. */
  noteFailure(side: FailureSide, reason: string, cause?: Error): void {
    const { context, deps } = this;
    context.failureReason = reason;
    deps.stats.countFailure(side, reason);
    deps.logger.error({ route: context.route?.id, reason, cause: cause?.message }, `${side} failed`);
  }

  /** Answers with an error of the gateway's own, unless something went out already: then the client is cut off. */
  fail(status: number, reason?: string): void {
    this.send(renderError(status, reason));
  }

  /** Answers with something of the gateway's own. */
  send(reply: RenderedReply): void {
    if (this.#isClosed) return;
    if (this.downstream.isHeadSent) {
      this.downstream.cut();
      return;
    }
    try {
      this.#sendReply(reply);
    } catch (error) {
      this.#report(error);
      this.#sendUnfiltered(renderError(500));
    }
  }

  /** A plugin or an answer failed in the middle of things: this request ends with 500, no other notices. */
  crash(error: unknown): void {
    this.#report(error);
    this.running?.cancel();
    // What plugins still wait for on behalf of this request is wanted no more.
    this.context.abort();
    if (this.#isClosed) return;
    if (this.downstream.isHeadSent) this.downstream.cut();
    else this.#sendUnfiltered(renderError(500));
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.crash(error);
    }
  }

  /**
   * Global rules rewrite, route rewrites, the caller's rewrites, global rules access, accesses (APISIX routing, after
   * the match).
   */
  #runPhases(from: number): void {
    for (let phase = from; phase < PHASES; phase += 1) {
      const hooks = this.#hooksOf(phase);
      if (hooks === undefined) {
        this.fail(503);
        return;
      }
      if (hooks.length === 0) continue;
      this.#phase = phase;
      const result = runRequestPhase(hooks, this.context, this.deps.pluginDeadlineMs);
      if (isPending(result)) {
        this.#resume(result, phase + 1);
        return;
      }
      if (result !== undefined) {
        this.conclude(result);
        return;
      }
    }
    this.#forward();
  }

  #resume(pending: Promise<PhaseResult>, next: number): void {
    pending
      .then((result) => {
        if (this.#isClosed) return;
        if (result === undefined) this.#runPhases(next);
        else this.conclude(result);
      })
      .catch((error: unknown) => this.crash(error));
  }

  /** The hooks of a phase; nothing when the caller's group is missing. */
  #hooksOf(phase: number): readonly RequestHook[] | undefined {
    const { global, route } = this.plan.filters;
    if (phase === GLOBAL_REWRITE) return global.rewrite;
    if (phase === 1) return route.rewrite;
    if (phase === 2) return this.context.consumer === undefined ? NO_HOOKS : this.#layConsumerOver();
    return phase === 3 ? global.access : route.access;
  }

  /** Puts the plugins of whoever calls in force; returns those rewrites that have not run. */
  #layConsumerOver(): readonly RequestHook[] | undefined {
    const { context, plan } = this;
    const { consumer: tables, consumer_group: groups } = context.snapshot.tables;
    const consumer = tables.get(context.consumer?.name ?? "");
    if (consumer === undefined || plan.route === undefined) return NO_HOOKS;
    const { groupId } = consumer.consumer;
    const group = groupId === undefined ? undefined : groups.get(groupId);
    if (groupId !== undefined && group === undefined) return undefined;
    const overlay = this.deps.overlays.of(plan.base, consumer, group);
    if (overlay === undefined) return NO_HOOKS;
    context.hold(consumer.held);
    if (group !== undefined) context.hold(group.held);
    plan.filters.route = overlay.pipeline;
    if (seesAnswer(overlay.pipeline)) this.#trace();
    return overlay.rewrite;
  }

  #trace(): void {
    this.context.trace ??= new ExchangeTrace(this.deps.clock);
  }

  /** Ends the request phases with what a plugin returned. */
  conclude(result: Reply | FunctionCall): void {
    // The route's plugins are not collected before the global rules have let the request in (APISIX plugins, phases).
    if (this.#phase === GLOBAL_REWRITE) this.plan.filters.route = EMPTY_PIPELINE;
    if (result.kind === "reply") this.send(renderReply(result));
    else new FunctionCarrier(this, result).start();
  }

  #forward(): void {
    const { overrides, snapshot } = this.context;
    const chosen = overrides?.chosen;
    const upstream = chosen === undefined ? this.plan.upstream : asCalled(chosen, this.plan.timeout, snapshot);
    if (this.plan.route === undefined) this.send(renderNotFound());
    else if (overrides?.isDisabled === true) this.#answerInPlace();
    else if (typeof upstream === "number") this.fail(upstream);
    else if (this.client.upgrade !== undefined && this.plan.isWebsocketEnabled && isTunnelled(upstream)) {
      new TunnelCarrier(this, upstream, this.client.upgrade).start();
    } else new UpstreamCarrier(this, upstream).start();
  }

  /** A plugin switched the upstream off: one of the plugins before it has to answer. */
  #answerInPlace(): void {
    const settle = (result: PhaseResult): void => {
      if (this.#isClosed) return;
      if (result) this.conclude(result);
      else this.fail(503);
    };
    const result = runBeforeProxy(this);
    if (isPending(result)) result.then(settle).catch((error: unknown) => this.crash(error));
    else settle(result);
  }

  #sendReply(reply: RenderedReply): void {
    const { response } = this.context;
    const { charset, serverHeader } = this.deps;
    response.status = reply.status;
    response.source = "gateway";
    response.headers = reply.headers;
    response.headers.set("Server", serverHeader);
    addCharset(response.headers, reply.status, charset);
    response.headers.set("Content-Length", String(Buffer.byteLength(reply.body)));
    this.downstream.sendHead(undefined);
    this.downstream.end(reply.body);
  }

  /** The last resort when filters themselves fail. */
  #sendUnfiltered(reply: RenderedReply): void {
    const { response } = this.context;
    response.status = reply.status;
    response.source = "gateway";
    response.headers = new HeaderList([...reply.headers.raw, "Server", this.deps.serverHeader]);
    try {
      this.client.writeHead(reply.status, reasonOf(reply.status), response.headers.raw);
      this.client.end(reply.body);
    } catch {
      this.client.cut();
    }
  }

  #finish(isComplete: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { context, deps, plan } = this;
    if (!isComplete) {
      this.running?.cancel();
      context.abort();
      // nginx's word for a client that did not wait; logged only.
      if (context.response.status === 0) context.response.status = this.client.endStatus ?? 499;
    }
    context.timings.totalMs = deps.clock.monotonicMs() - context.startedMonotonicMs;
    context.isComplete = isComplete;
    context.traffic = this.client.takeTraffic();
    const report = (error: GatewayError): void => this.#report(error);
    runLogPhase(plan.filters.global.log, context, report);
    runLogPhase(plan.filters.route.log, context, report);
    releasePlan(plan);
    context.letGo();
    deps.onFinished(context);
  }

  #report(error: unknown): void {
    const route = this.context.route?.id;
    const details = error instanceof Error && "details" in error ? error.details : {};
    if (isGatewayError(error) && typeof error.details["plugin"] === "string") {
      this.deps.stats.countPluginFailure(
        error.details["plugin"],
        error.code === "PLUGIN_TIMEOUT" ? "timeout" : "error",
      );
    }
    this.deps.logger.error({ route, ...Object(details), reason: messageOf(error) }, "request failed in the gateway");
  }
}

/** Tunnels are of HTTP/1.1; gRPC services are called over HTTP/2. */
function isTunnelled({ scheme }: CompiledUpstream): boolean {
  return !scheme.startsWith("grpc");
}

/** Request phases: see `#runPhases`. */
const PHASES = 5;

const GLOBAL_REWRITE = 0;

const NO_HOOKS: readonly RequestHook[] = Object.freeze([]);

/** Tells whether plugins look at the answer: they may ask for anything about it. */
function seesAnswer({ bodyFilter, headerFilter, log }: Pipeline): boolean {
  return headerFilter.length > 0 || bodyFilter.length > 0 || log.length > 0;
}
