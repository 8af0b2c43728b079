import { GatewayError } from "@fngate/kernel";
import type {
  LogContext,
  NestedCheck,
  PhaseResult,
  PluginDeps,
  PluginInstance,
  RequestContext,
  ResponseContext,
} from "@fngate/plugin-kit";
import { type CompiledExpression, compileExpression } from "@fngate/router/expr";
import { asksForBody, decideBy } from "../shared/conditions.ts";
import { actionsProblem, isActionPlugin, type ReturnConfig, type WorkflowConfig } from "./schema.ts";

/** What happens under a rule: a plugin that runs, or an answer. */
interface Action {
  /** Plugin that does not run again on its own for the same request. */
  readonly plugin: string | undefined;
  readonly instance: PluginInstance;
}

interface CompiledRule {
  /** Absent: always. */
  readonly when: CompiledExpression | undefined;
  readonly action: Action | undefined;
}

/** Runs the action of the first rule that applies, in all phases of its plugin. */
export class Workflow implements PluginInstance {
  readonly #rules: CompiledRule[] = [];
  readonly #isBodyWanted: boolean;
  readonly #actions = new WeakMap<RequestContext, Action>();

  constructor(config: WorkflowConfig, deps: PluginDeps) {
    const problem = actionsProblem(config, checkedBy(deps));
    if (problem !== undefined) throw new GatewayError("PLUGIN_INVALID", problem);
    this.#isBodyWanted = asksForBody(config.rules.map((rule) => rule.case));
    try {
      for (const [index, rule] of config.rules.entries()) this.#rules.push(compileRule(rule, index, deps));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  access(context: RequestContext): PhaseResult | Promise<PhaseResult> {
    return decideBy(this.#isBodyWanted, context, () => this.#act(context));
  }

  headerFilter(context: ResponseContext): undefined {
    this.#actions.get(context)?.instance.headerFilter?.(context);
  }

  log(context: LogContext): undefined {
    this.#actions.get(context)?.instance.log?.(context);
  }

  dispose(): void {
    for (const { action } of this.#rules.splice(0)) action?.instance.dispose?.();
  }

  #act(context: RequestContext): PhaseResult | Promise<PhaseResult> {
    const rule = this.#rules.find(({ when }) => when === undefined || when.evaluate(context.variables));
    const action = rule?.action;
    if (action === undefined) return undefined;
    this.#actions.set(context, action);
    if (action.plugin !== undefined) context.skip(action.plugin);
    return action.instance.access?.(context);
  }
}

/** For what comes from the store: a plugin says itself what is wrong with its configuration when it is set up. */
function checkedBy({ values }: PluginDeps): NestedCheck {
  return {
    find: () => ({ isAuth: false }),
    problemOf: () => undefined,
    upstreamProblem: () => undefined,
    problemIn(schema, value) {
      const checked = values.check(schema, value);
      return checked.ok ? undefined : checked.message;
    },
  };
}

function compileRule(
  { actions, case: when }: WorkflowConfig["rules"][number],
  index: number,
  deps: PluginDeps,
): CompiledRule {
  return { when: compileCase(when), action: compileAction(actions[0], index, deps) };
}

/** A case that is no expression never stopped APISIX from running the rule; here it is refused with the rest. */
function compileCase(when: readonly unknown[] | undefined): CompiledExpression | undefined {
  return when === undefined ? undefined : compileExpression(when);
}

function compileAction(action: readonly unknown[] | undefined, index: number, deps: PluginDeps): Action | undefined {
  const [name, config] = action ?? [];
  if (isActionPlugin(name)) {
    const { instance } = deps.plugins.setUp(name, config, `${deps.owner}:workflow:${index}`);
    return { plugin: name, instance };
  }
  if (name !== "return") return undefined;
  const { code: status } = config as ReturnConfig;
  const reply = { kind: "reply", status, body: { error_msg: "rejected by workflow" } } as const;
  return { plugin: undefined, instance: { access: () => reply } };
}
