import { messageOf } from "@fngate/kernel";
import type { PhaseResult, PluginDeps, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import { acquireCounters } from "../shared/limiter/acquire-counters.ts";
import type { BucketOutcome } from "../shared/limiter/counters.ts";
import { compileKey, scopeOf } from "../shared/limiter/limit-key.ts";
import { refusalOf } from "../shared/limiter/refusal.ts";
import { pause } from "../shared/pause.ts";
import type { LimitReqConfig } from "./schema.ts";

const FAILED: Reply = { kind: "reply", status: 500 };

/** Shorter waits than this are not worth a timer. */
const SHORTEST_WAIT_SECONDS = 0.001;

/** Lets requests go on at a rate: those over it wait their turn, those beyond the burst are refused. */
export function limitRate(config: LimitReqConfig, deps: PluginDeps): PluginInstance {
  const { burst, key, key_type: keyType, nodelay, rate: ratePerSecond } = config;
  const counters = acquireCounters("limit-req", config, deps);
  const keyOf = compileKey(key, keyType);
  const scope = scopeOf(deps.owner, config);
  const refusal = refusalOf(config);

  const settle = (context: RequestContext, outcome: BucketOutcome): PhaseResult | Promise<PhaseResult> => {
    const { delaySeconds, isAllowed } = outcome;
    if (!isAllowed) return refusal;
    if (nodelay || delaySeconds < SHORTEST_WAIT_SECONDS) return undefined;
    return pause(deps.clock, delaySeconds * 1000, context.signal);
  };
  const fail = (error: unknown): PhaseResult => {
    deps.logger.error({ owner: deps.owner, reason: messageOf(error) }, "requests cannot be counted");
    return config.allow_degradation ? undefined : FAILED;
  };

  return {
    access(context) {
      const outcome = counters.value.pourIntoBucket(`${scope}:${keyOf(context)}`, { burst, ratePerSecond });
      return outcome instanceof Promise
        ? outcome.then((settled) => settle(context, settled), fail)
        : settle(context, outcome);
    },
    dispose: () => counters.release(),
  };
}
