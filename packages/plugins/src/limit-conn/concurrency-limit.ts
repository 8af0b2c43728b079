import { messageOf, type Usage } from "@fngate/kernel";
import type { LogContext, PhaseResult, PluginDeps, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import { acquireCounters } from "../shared/limiter/acquire-counters.ts";
import type { Counters, Slot } from "../shared/limiter/counters.ts";
import { scopeOf } from "../shared/limiter/limit-key.ts";
import { refusalOf } from "../shared/limiter/refusal.ts";
import { pause } from "../shared/pause.ts";
import { type AppliedRule, compileRules, type RulesOf } from "./rules.ts";
import type { LimitConnConfig } from "./schema.ts";

const FAILED: Reply = { kind: "reply", status: 500 };

/** What a request holds until it is over. */
interface Occupied {
  readonly slots: Slot[];
  heldUpMs: number;
}

/** Limits how many requests run at once: those over the limit are held up, those beyond the burst refused. */
export class ConcurrencyLimit implements PluginInstance {
  readonly #config: LimitConnConfig;
  readonly #deps: PluginDeps;
  readonly #rulesOf: RulesOf;
  readonly #refusal: Reply;
  readonly #scope: string;
  readonly #counters: Usage<Counters>;
  readonly #occupied = new WeakMap<RequestContext, Occupied>();
  #delayMs: number;

  constructor(config: LimitConnConfig, deps: PluginDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#rulesOf = compileRules(config);
    this.#refusal = refusalOf(config);
    this.#scope = scopeOf(deps.owner, config);
    this.#delayMs = (config.default_conn_delay ?? 0) * 1000;
    this.#counters = acquireCounters("limit-conn", config, deps);
  }

  access(context: RequestContext): PhaseResult | Promise<PhaseResult> {
    const rules = this.#rulesOf(context);
    if (rules.length > 0) return this.#enter(context, rules, 0);
    this.#deps.logger.error({ owner: this.#deps.owner }, "no limit can be told for the request");
    return this.#config.allow_degradation ? undefined : FAILED;
  }

  log(context: LogContext): undefined {
    const occupied = this.#occupied.get(context);
    if (occupied === undefined) return;
    this.#occupied.delete(context);
    for (const slot of occupied.slots) slot.leave();
    if (this.#config.only_use_default_delay) return;
    const { totalMs, upstreamMs } = context.timings;
    this.#delayMs = (this.#delayMs + (upstreamMs ?? Math.max(totalMs - occupied.heldUpMs, 0))) / 2;
  }

  dispose(): void {
    this.#counters.release();
  }

  #enter(context: RequestContext, rules: readonly AppliedRule[], index: number): PhaseResult | Promise<PhaseResult> {
    const rule = rules[index];
    if (rule === undefined) return undefined;
    const slot = this.#counters.value.takeSlot(`${this.#scope}:${rule.key}`, {
      limit: rule.conn + rule.burst,
      ttlSeconds: this.#config.key_ttl,
    });
    const next = (taken: Slot | undefined): PhaseResult | Promise<PhaseResult> => {
      if (taken === undefined) return this.#refusal;
      const waiting = this.#occupy(context, rule, taken);
      return waiting === undefined
        ? this.#enter(context, rules, index + 1)
        : waiting.then(() => this.#enter(context, rules, index + 1));
    };
    return slot instanceof Promise ? slot.then(next, (error: unknown) => this.#fail(error)) : next(slot);
  }

  /** Notes the place and holds the request up when it is over the limit. */
  #occupy(context: RequestContext, rule: AppliedRule, slot: Slot): Promise<void> | undefined {
    // The client may have left while Redis was asked: then the log phase, which gives places back, is over.
    if (context.signal.aborted) {
      slot.leave();
      return undefined;
    }
    const occupied = this.#occupied.get(context) ?? { slots: [], heldUpMs: 0 };
    occupied.slots.push(slot);
    this.#occupied.set(context, occupied);
    if (slot.taken <= rule.conn) return undefined;
    const waitMs = this.#delayMs * Math.floor((slot.taken - 1) / rule.conn);
    if (waitMs < 1) return undefined;
    occupied.heldUpMs += waitMs;
    return pause(this.#deps.clock, waitMs, context.signal);
  }

  #fail(error: unknown): Reply | undefined {
    this.#deps.logger.error({ owner: this.#deps.owner, reason: messageOf(error) }, "requests cannot be counted");
    return this.#config.allow_degradation ? undefined : FAILED;
  }
}
