import type { Transform } from "node:stream";
import { GatewayError, isGatewayError, messageOf, timerDelay } from "@fngate/kernel";
import type { LogContext, PhaseResult, RequestContext, ResponseContext } from "./context.ts";
import type { PluginInstance } from "./plugin.ts";

/** One plugin of a route, set up and ready to run. */
export interface ConfiguredPlugin {
  readonly name: string;
  /** The effective priority: `_meta.priority` where the configuration has one, else the plugin's own. */
  readonly priority: number;
  readonly instance: PluginInstance;
}

/** One phase of one plugin; `plugin` is its name, for logs. */
export interface Hook<TContext, TResult> {
  readonly plugin: string;
  readonly run: (context: TContext) => TResult;
}

/** A hook of a phase that may end the request. */
export type RequestHook = Hook<RequestContext, PhaseResult | Promise<PhaseResult>>;

/** What a request runs through: per phase the plugins that implement it, highest priority first. Deep-frozen. */
export interface Pipeline {
  readonly rewrite: readonly RequestHook[];
  readonly access: readonly RequestHook[];
  readonly beforeProxy: readonly RequestHook[];
  readonly headerFilter: readonly Hook<ResponseContext, undefined>[];
  readonly bodyFilter: readonly Hook<ResponseContext, Transform | undefined>[];
  readonly encodeBody: readonly Hook<ResponseContext, Transform | undefined>[];
  readonly log: readonly Hook<LogContext, undefined>[];
}

/** The pipeline of every route without plugins: one object, so that such routes cost nothing. */
export const EMPTY_PIPELINE: Pipeline = Object.freeze({
  rewrite: Object.freeze([]),
  access: Object.freeze([]),
  beforeProxy: Object.freeze([]),
  headerFilter: Object.freeze([]),
  bodyFilter: Object.freeze([]),
  encodeBody: Object.freeze([]),
  log: Object.freeze([]),
});

/**
 * Sorts configured plugins into one array per phase, highest priority first, in response phases too (APISIX: plugin
 * execution order). Plugins of equal priority keep the order they came in; without plugins the result is {@link EMPTY_PIPELINE}.
 */
export function compilePipeline(plugins: readonly ConfiguredPlugin[]): Pipeline {
  if (plugins.length === 0) return EMPTY_PIPELINE;
  const sorted = plugins.toSorted((a, b) => b.priority - a.priority);
  return Object.freeze({
    rewrite: hooksOf(sorted, (plugin) => plugin.rewrite?.bind(plugin)),
    access: hooksOf(sorted, (plugin) => plugin.access?.bind(plugin)),
    beforeProxy: hooksOf(sorted, (plugin) => plugin.beforeProxy?.bind(plugin)),
    headerFilter: hooksOf(sorted, (plugin) => plugin.headerFilter?.bind(plugin)),
    bodyFilter: hooksOf(sorted, (plugin) => plugin.bodyFilter?.bind(plugin)),
    encodeBody: hooksOf(sorted, (plugin) => plugin.encodeBody?.bind(plugin)),
    log: hooksOf(sorted, (plugin) => plugin.log?.bind(plugin)),
  });
}

/**
 * Runs the hooks of a request phase until one ends the request, and returns what it returned.
 *
 * The result is a promise only when a hook returned one: a phase of synchronous plugins costs no microtask, and a
 * caller tells the two apart with {@link isPending}.
 * @param deadlineMs longest wait for one hook's promise, milliseconds; absent: any
 * @throws GatewayError PLUGIN_FAILED (thrown or rejected) when a hook fails, PLUGIN_TIMEOUT when one takes too long;
 *   `details` name the plugin.
 */
export function runRequestPhase(
  hooks: readonly RequestHook[],
  context: RequestContext,
  deadlineMs?: number,
): PhaseResult | Promise<PhaseResult> {
  for (let index = 0; index < hooks.length; index += 1) {
    const hook = hooks[index] as RequestHook;
    if (context.skipped?.has(hook.plugin) === true) continue;
    const result = runHook(hook, context);
    if (isPending(result)) return finishPhase(hooks, index, { context, deadlineMs, result });
    if (result !== undefined) return result;
  }
  return undefined;
}

/** Tells whether a phase still runs, which is when its result has to be awaited. */
export function isPending(result: PhaseResult | Promise<PhaseResult>): result is Promise<PhaseResult> {
  return typeof result === "object" && "then" in result;
}

/**
 * Lets every plugin change status and headers of an answer, in order.
 * @throws GatewayError PLUGIN_FAILED at the first hook that fails: a header that a plugin had to remove must not leave.
 */
export function runHeaderFilters(hooks: Pipeline["headerFilter"], context: ResponseContext): void {
  for (const hook of hooks) runHook(hook, context);
}

/**
 * The transforms that an answer's body passes, first to last; empty when no plugin wants to see this body.
 * @throws GatewayError PLUGIN_FAILED at the first hook that fails.
 */
export function collectBodyFilters(hooks: Pipeline["bodyFilter"], context: ResponseContext): readonly Transform[] {
  const transforms: Transform[] = [];
  for (const hook of hooks) {
    const transform = runHook(hook, context);
    if (transform !== undefined) transforms.push(transform);
  }
  return transforms;
}

/**
 * The transform that encodes an answer's body, of the first plugin that has one.
 * @throws GatewayError PLUGIN_FAILED when a hook fails.
 */
export function chooseBodyEncoder(hooks: Pipeline["encodeBody"], context: ResponseContext): Transform | undefined {
  for (const hook of hooks) {
    const transform = runHook(hook, context);
    if (transform !== undefined) return transform;
  }
  return undefined;
}

/** Runs every log hook; one that throws is handed to `report` (GatewayError PLUGIN_FAILED) and the next one runs. */
export function runLogPhase(hooks: Pipeline["log"], context: LogContext, report: (error: GatewayError) => void): void {
  for (const hook of hooks) {
    try {
      hook.run(context);
    } catch (error) {
      report(pluginFailed(hook.plugin, error));
    }
  }
}

/** One hook per plugin that has the phase; `pick` returns the phase's method bound to its instance. */
function hooksOf<TContext, TResult>(
  plugins: readonly ConfiguredPlugin[],
  pick: (instance: PluginInstance) => ((context: TContext) => TResult) | undefined,
): readonly Hook<TContext, TResult>[] {
  const hooks: Hook<TContext, TResult>[] = [];
  for (const { name, instance } of plugins) {
    const run = pick(instance);
    if (run !== undefined) hooks.push(Object.freeze({ plugin: name, run }));
  }
  return Object.freeze(hooks);
}

/** The rest of a phase whose hook number `index` returned a promise. */
async function finishPhase(hooks: readonly RequestHook[], index: number, pending: PendingPhase): Promise<PhaseResult> {
  const { context, deadlineMs, result } = pending;
  const { plugin } = hooks[index] as RequestHook;
  let settled: PhaseResult;
  try {
    settled = await (deadlineMs === undefined ? result : within(result, plugin, deadlineMs));
  } catch (error) {
    throw isGatewayError(error, "PLUGIN_TIMEOUT") ? error : pluginFailed(plugin, error);
  }
  return settled ?? runRequestPhase(hooks.slice(index + 1), context, deadlineMs);
}

/** A phase that waits for a hook. */
interface PendingPhase {
  readonly context: RequestContext;
  readonly deadlineMs: number | undefined;
  readonly result: Promise<PhaseResult>;
}

/** What a promise settles to, unless that takes too long: what it becomes afterwards is nobody's business. */
function within(result: Promise<PhaseResult>, plugin: string, deadlineMs: number): Promise<PhaseResult> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `plugin ${plugin} was not done after ${deadlineMs} ms`;
      reject(new GatewayError("PLUGIN_TIMEOUT", message, { details: { plugin } }));
    }, timerDelay(deadlineMs));
    result.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function runHook<TContext, TResult>(hook: Hook<TContext, TResult>, context: TContext): TResult {
  try {
    return hook.run(context);
  } catch (error) {
    throw pluginFailed(hook.plugin, error);
  }
}

function pluginFailed(plugin: string, error: unknown): GatewayError {
  return new GatewayError("PLUGIN_FAILED", `plugin ${plugin} failed: ${messageOf(error)}`, {
    cause: error,
    details: { plugin },
  });
}
