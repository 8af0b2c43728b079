import { compileTemplate, type RequestContext } from "@fngate/plugin-kit";
import { compileNumber, type NumberOf } from "../shared/limiter/dynamic-number.ts";
import { compileKey } from "../shared/limiter/limit-key.ts";
import type { LimitCountConfig } from "./schema.ts";

/** A limit as it holds for one request. */
export interface AppliedRule {
  readonly limit: number;
  readonly windowSeconds: number;
  readonly key: string;
  /** Put into the names of the quota's headers; absent: the names as they are. */
  readonly headerPrefix: string | undefined;
}

/** The limits of a request; nothing when one of its numbers cannot be told. */
export type RulesOf = (context: RequestContext) => readonly AppliedRule[] | undefined;

/** Compiles the limit of a configuration, or its rules. */
export function compileRules(config: LimitCountConfig): RulesOf {
  const { count, key, key_type: keyType, rules, time_window: window } = config;
  if (rules === undefined) return compileRule({ count: count ?? "", window: window ?? "" }, compileKey(key, keyType));
  const compiled = rules.map((rule, index) => {
    const template = compileTemplate(rule.key);
    const prefix = rule.header_prefix ?? String(index + 1);
    const numbers = { count: rule.count, window: rule.time_window };
    return compileRule(numbers, ({ variables }) => template.resolve(variables), prefix);
  });
  return (context) => {
    const applied: AppliedRule[] = [];
    for (const ruleOf of compiled) {
      const found = ruleOf(context);
      if (found === undefined) return undefined;
      applied.push(...found);
    }
    return applied;
  };
}

/** A rule whose key is absent does not apply; numbers that cannot be told must not switch the limit off. */
function compileRule(
  numbers: { readonly count: number | string; readonly window: number | string },
  keyOf: (context: RequestContext) => string | undefined,
  headerPrefix?: string,
): RulesOf {
  const limitOf: NumberOf = compileNumber(numbers.count, 1);
  const windowOf: NumberOf = compileNumber(numbers.window, 1);
  return (context) => {
    const key = keyOf(context);
    if (key === undefined) return [];
    const limit = limitOf(context.variables);
    const windowSeconds = windowOf(context.variables);
    if (limit === undefined || windowSeconds === undefined) return undefined;
    return [{ limit, windowSeconds, key, headerPrefix }];
  };
}
