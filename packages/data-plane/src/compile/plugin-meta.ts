import type { FunctionCall, PhaseResult, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import type { CompiledExpression } from "@fngate/router/expr";

/** A body that replaces that of a plugin's error answers (`_meta.error_response`). */
export type ErrorResponse = string | Readonly<Record<string, unknown>>;

/** A call whose error answers, the function's own included, carry a configured body. */
export interface ShapedCall extends FunctionCall {
  readonly errorResponse: ErrorResponse;
}

/** The body configured for a call's error answers, if there is one. */
export function errorResponseOf(call: FunctionCall): ErrorResponse | undefined {
  return "errorResponse" in call ? (call as ShapedCall).errorResponse : undefined;
}

/** What of `_meta` changes how handlers run. */
export interface MetaOptions {
  readonly errorResponse: ErrorResponse | undefined;
  readonly filter: CompiledExpression | undefined;
  /** Whether the filter asks for something that is read from the request's body. */
  readonly isBodyFiltered: boolean;
}

type RequestPhase = (context: RequestContext) => PhaseResult | Promise<PhaseResult>;

/** The instance with `_meta.filter` and `_meta.error_response` applied; the same one when neither is set. */
export function applyMeta(instance: PluginInstance, options: MetaOptions): PluginInstance {
  const shaped = options.errorResponse === undefined ? instance : shapeErrors(instance, options.errorResponse);
  return options.filter === undefined ? shaped : filterCalls(shaped, options.filter, options.isBodyFiltered);
}

function shapeErrors(instance: PluginInstance, errorResponse: ErrorResponse): PluginInstance {
  const wrap = (phase: RequestPhase | undefined): RequestPhase | undefined =>
    phase &&
    ((context) => {
      const result = phase(context);
      return result instanceof Promise
        ? result.then((settled) => shapeResult(settled, errorResponse))
        : shapeResult(result, errorResponse);
    });
  return withPhases(instance, {
    rewrite: wrap(instance.rewrite?.bind(instance)),
    access: wrap(instance.access?.bind(instance)),
    beforeProxy: wrap(instance.beforeProxy?.bind(instance)),
  });
}

function shapeResult(result: PhaseResult, errorResponse: ErrorResponse): PhaseResult {
  if (result === undefined) return undefined;
  if (result.kind === "call") {
    const shaped: ShapedCall = { ...result, errorResponse };
    return shaped;
  }
  return result.status >= 400 ? ({ ...result, body: errorResponse } satisfies Reply) : result;
}

/** A request whose body can be read on behalf of its variables. */
interface BodyOwner {
  /** Reads what variables were asked for and could not tell; nothing when there is nothing to read. */
  readWantedBody(): Promise<void> | undefined;
}

function readWantedBody(context: RequestContext): Promise<void> | undefined {
  return "readWantedBody" in context ? (context as RequestContext & BodyOwner).readWantedBody() : undefined;
}

/** The filter is asked once per request, at the plugin's first phase, and its answer holds for the later ones. */
function filterCalls(instance: PluginInstance, filter: CompiledExpression, isBodyFiltered: boolean): PluginInstance {
  const decisions = new WeakMap<RequestContext, boolean>();
  const passes = (context: RequestContext): boolean => {
    const known = decisions.get(context);
    if (known !== undefined) return known;
    const decision = filter.evaluate(context.variables);
    decisions.set(context, decision);
    return decision;
  };
  const guard = <TContext extends RequestContext, TResult>(
    phase: ((context: TContext) => TResult) | undefined,
  ): ((context: TContext) => TResult | undefined) | undefined =>
    phase && ((context) => (passes(context) ? phase(context) : undefined));
  const rewrite = guard(instance.rewrite?.bind(instance));
  // A filter on the body is asked in the first phase, for all phases: later the body may be gone.
  const afterBody = async (context: RequestContext): Promise<PhaseResult> => {
    filter.evaluate(context.variables);
    await readWantedBody(context);
    return passes(context) ? rewrite?.(context) : undefined;
  };
  return withPhases(instance, {
    rewrite: isBodyFiltered ? afterBody : rewrite,
    access: guard(instance.access?.bind(instance)),
    beforeProxy: guard(instance.beforeProxy?.bind(instance)),
    headerFilter: guard(instance.headerFilter?.bind(instance)),
    bodyFilter: guard(instance.bodyFilter?.bind(instance)),
    encodeBody: guard(instance.encodeBody?.bind(instance)),
    log: guard(instance.log?.bind(instance)),
  });
}

type Phases = { [TPhase in keyof PluginInstance]?: PluginInstance[TPhase] | undefined };

/** An instance with those phases replaced that are given; phases it lacks stay absent. */
function withPhases(instance: PluginInstance, phases: Phases): PluginInstance {
  const rest: Phases = {
    rewrite: instance.rewrite?.bind(instance),
    access: instance.access?.bind(instance),
    beforeProxy: instance.beforeProxy?.bind(instance),
    headerFilter: instance.headerFilter?.bind(instance),
    bodyFilter: instance.bodyFilter?.bind(instance),
    encodeBody: instance.encodeBody?.bind(instance),
    log: instance.log?.bind(instance),
    dispose: instance.dispose?.bind(instance),
    ...phases,
  };
  return Object.fromEntries(Object.entries(rest).filter(([, phase]) => phase !== undefined));
}
