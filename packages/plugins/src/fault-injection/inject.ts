import {
  compileTemplate,
  type PhaseResult,
  type PluginDeps,
  type PluginInstance,
  type Reply,
  type RequestContext,
} from "@fngate/plugin-kit";
import { compileFields } from "../shared/answer-fields.ts";
import { asksForBody, compileAnyOf, decideBy } from "../shared/conditions.ts";
import { pause } from "../shared/pause.ts";
import type { FaultInjectionConfig } from "./schema.ts";

/** Holds requests up and answers them as configured; both conditions are looked at before the delay. */
export function injectFaults(config: FaultInjectionConfig, deps: PluginDeps): PluginInstance {
  const isAborted = compileSample(config.abort, deps);
  const isDelayed = compileSample(config.delay, deps);
  const abort = compileAbort(config.abort);
  const delayMs = (config.delay?.duration ?? 0) * 1000;
  const isBodyWanted = asksForBody([config.abort?.vars, config.delay?.vars]);
  const inject = (context: RequestContext): PhaseResult | Promise<PhaseResult> => {
    const reply = isAborted(context) ? abort(context) : undefined;
    if (!isDelayed(context)) return reply;
    return pause(deps.clock, delayMs, context.signal).then(() => reply);
  };
  return { rewrite: (context) => decideBy(isBodyWanted, context, () => inject(context)) };
}

interface Sample {
  readonly percentage?: number | undefined;
  readonly vars?: readonly unknown[] | undefined;
}

function compileSample(sample: Sample | undefined, { random }: PluginDeps): (context: RequestContext) => boolean {
  if (sample === undefined) return () => false;
  const { percentage } = sample;
  const isMet = compileAnyOf(sample.vars);
  return ({ variables }) => isMet(variables) && (percentage === undefined || random() * 100 < percentage);
}

function compileAbort(abort: FaultInjectionConfig["abort"]): (context: RequestContext) => Reply | undefined {
  if (abort === undefined) return () => undefined;
  const { http_status: status } = abort;
  const fieldsOf = compileFields(abort.headers);
  const body = abort.body === undefined ? undefined : compileTemplate(abort.body);
  return ({ variables }) => {
    const headers = fieldsOf(variables);
    if (body === undefined) return { kind: "reply", status, headers };
    return { kind: "reply", status, headers, body: body.render(variables) };
  };
}
