import { compileTemplate, type RequestContext } from "@fngate/plugin-kit";
import { compileNumber } from "../shared/limiter/dynamic-number.ts";
import { compileKey } from "../shared/limiter/limit-key.ts";
import type { LimitConnConfig } from "./schema.ts";

/** A limit as it holds for one request. */
export interface AppliedRule {
  readonly conn: number;
  readonly burst: number;
  readonly key: string;
}

/** The limit of a request; nothing when it does not apply or cannot be told. */
type RuleOf = (context: RequestContext) => AppliedRule | undefined;

/** The limits that hold for a request. */
export type RulesOf = (context: RequestContext) => readonly AppliedRule[];

/** Compiles the limit of a configuration, or its rules. */
export function compileRules(config: LimitConnConfig): RulesOf {
  const { burst = "", conn = "", key = "remote_addr", key_type: keyType, rules } = config;
  const compiled: readonly RuleOf[] =
    rules === undefined
      ? [compileRule({ conn, burst }, compileKey(key, keyType))]
      : rules.map((rule) => {
          const template = compileTemplate(rule.key);
          return compileRule(rule, ({ variables }) => template.resolve(variables));
        });
  return (context) => compiled.flatMap((ruleOf) => ruleOf(context) ?? []);
}

function compileRule(
  numbers: { readonly conn: number | string; readonly burst: number | string },
  keyOf: (context: RequestContext) => string | undefined,
): RuleOf {
  const connOf = compileNumber(numbers.conn, 1);
  const burstOf = compileNumber(numbers.burst, 0);
  return (context) => {
    const key = keyOf(context);
    const conn = connOf(context.variables);
    const burst = burstOf(context.variables);
    return key === undefined || conn === undefined || burst === undefined ? undefined : { conn, burst, key };
  };
}
