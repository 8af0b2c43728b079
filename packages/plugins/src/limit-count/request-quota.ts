import { messageOf, type Usage } from "@fngate/kernel";
import type {
  PhaseResult,
  PluginDeps,
  PluginInstance,
  Reply,
  RequestContext,
  ResponseContext,
} from "@fngate/plugin-kit";
import { acquireCounters } from "../shared/limiter/acquire-counters.ts";
import type { Counters, WindowOutcome } from "../shared/limiter/counters.ts";
import { scopeOf } from "../shared/limiter/limit-key.ts";
import { refusalOf } from "../shared/limiter/refusal.ts";
import { joinGroup } from "./group.ts";
import type { LimitCountMetadata } from "./metadata.ts";
import { quotaHeaders } from "./quota-headers.ts";
import { type AppliedRule, compileRules, type RulesOf } from "./rules.ts";
import type { LimitCountConfig } from "./schema.ts";

const FAILED: Reply = { kind: "reply", status: 500, body: { error_msg: "failed to limit count" } };
const NO_RULE: Reply = { kind: "reply", status: 500 };

type Deps = PluginDeps<unknown, LimitCountMetadata>;

/** Counts requests in windows of time and refuses those over the limit. */
export class RequestQuota implements PluginInstance {
  readonly #config: LimitCountConfig;
  readonly #deps: Deps;
  readonly #rulesOf: RulesOf;
  readonly #refusal: Reply;
  readonly #scope: string;
  readonly #group: Usage<unknown> | undefined;
  readonly #counters: Usage<Counters>;
  /** Fields that the answers to requests in flight will carry. */
  readonly #headers = new WeakMap<RequestContext, string[]>();

  constructor(config: LimitCountConfig, deps: Deps) {
    this.#config = config;
    this.#deps = deps;
    this.#rulesOf = compileRules(config);
    this.#refusal = refusalOf(config);
    this.#group = joinGroup(config, deps.shared);
    this.#scope = config.group === undefined ? scopeOf(deps.owner, config) : `group:${config.group}`;
    this.#counters = acquireCounters("limit-count", config, deps);
  }

  access(context: RequestContext): PhaseResult | Promise<PhaseResult> {
    const rules = this.#rulesOf(context);
    if (rules !== undefined && rules.length > 0) return this.#count(context, rules, 0);
    this.#deps.logger.error({ owner: this.#deps.owner }, "no limit can be told for the request");
    return this.#config.allow_degradation ? undefined : NO_RULE;
  }

  headerFilter(context: ResponseContext): undefined {
    const fields = this.#headers.get(context) ?? [];
    for (let index = 0; index < fields.length; index += 2) {
      context.response.headers.set(fields[index] as string, fields[index + 1] as string);
    }
  }

  dispose(): void {
    this.#group?.release();
    this.#counters.release();
  }

  /** Applies the rules from number `from` on, until one refuses; nothing is awaited while counters answer at once. */
  #count(context: RequestContext, rules: readonly AppliedRule[], from: number): PhaseResult | Promise<PhaseResult> {
    for (const [index, rule] of rules.entries()) {
      if (index < from) continue;
      const outcome = this.#counters.value.countInWindow(`${this.#scope}:${rule.key}`, {
        limit: rule.limit,
        windowSeconds: rule.windowSeconds,
        kind: this.#config.window_type,
      });
      if (outcome instanceof Promise) {
        return outcome.then(
          (settled) => this.#settle(context, rule, settled) ?? this.#count(context, rules, index + 1),
          (error: unknown) => this.#fail(error),
        );
      }
      const reply = this.#settle(context, rule, outcome);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  #settle(context: RequestContext, rule: AppliedRule, outcome: WindowOutcome): Reply | undefined {
    if (this.#config.show_limit_quota_header) {
      const fields = quotaHeaders(rule, outcome, this.#deps.metadata.current);
      const earlier = this.#headers.get(context);
      if (earlier === undefined) this.#headers.set(context, fields);
      else earlier.push(...fields);
    }
    return outcome.isAllowed ? undefined : this.#refusal;
  }

  #fail(error: unknown): Reply | undefined {
    this.#deps.logger.error({ owner: this.#deps.owner, reason: messageOf(error) }, "requests cannot be counted");
    return this.#config.allow_degradation ? undefined : FAILED;
  }
}
