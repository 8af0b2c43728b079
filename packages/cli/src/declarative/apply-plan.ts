import { GatewayError, isGatewayError, messageOf } from "@fngate/kernel";
import { type AdminAnswer, type AdminConnection, reasonOf } from "./admin-connection.ts";
import { writableValue } from "./comparable.ts";
import { objectPath } from "./live-configuration.ts";
import { isIrreversible, type Step } from "./plan.ts";
import { renderStep } from "./render-plan.ts";

/** What {@link applySteps} works with. */
export interface ApplyOptions {
  readonly connection: AdminConnection;
  /** Fires when the operator wants no more. */
  readonly signal: AbortSignal;
  /** Called after each step with how many are done. */
  readonly onProgress: (done: number) => void;
}

/** A step that was done, and the version that it made. */
interface Done {
  readonly step: Step;
  readonly etag: string | undefined;
}

/** Makes a write wait for no other: nothing may be there. */
const ABSENT = { "If-None-Match": "*" };

/**
 * Does steps one after the other, each only if the object is still what the plan saw. When one fails or the signal
 * fires, everything done is put back, newest first.
 *
 * Raises `IMPORT_UNDONE` when everything is as it was, `IMPORT_INCOMPLETE` with what is not in `details.problems`.
 */
export async function applySteps(steps: readonly Step[], options: ApplyOptions): Promise<void> {
  const done: Done[] = [];
  for (const step of steps) {
    try {
      if (options.signal.aborted) throw new GatewayError("ADMIN_REFUSED", "interrupted");
      done.push({ step, etag: await apply(step, options.connection) });
      options.onProgress(done.length);
    } catch (cause) {
      const uncertain = isGatewayError(cause, "ADMIN_UNREACHABLE") ? [step] : [];
      await undo(done, { connection: options.connection, cause, uncertain });
    }
  }
}

async function apply(step: Step, connection: AdminConnection): Promise<string | undefined> {
  const answer = await send(step, connection);
  if (answer.status < 300) return answer.etag;
  const changed = answer.status === 412 ? "somebody else changed it meanwhile" : reasonOf(answer);
  throw new GatewayError("ADMIN_REFUSED", `cannot ${renderStep(step)}: ${changed}`);
}

function send(step: Step, connection: AdminConnection): Promise<AdminAnswer> {
  if (step.action === "delete") {
    const { definition, id, etag } = step.before;
    return connection.send("DELETE", objectPath(definition, id), { headers: { "If-Match": etag } });
  }
  const { definition, id, value } = step.after;
  const headers = step.action === "create" ? ABSENT : { "If-Match": step.before.etag };
  return connection.send("PUT", objectPath(definition, id), { body: value, headers });
}

/** What came of a plan so far, and why it goes no further. */
interface Halt {
  readonly connection: AdminConnection;
  readonly cause: unknown;
  /** Steps that got no answer: they may have been done. */
  readonly uncertain: readonly Step[];
}

async function undo(done: readonly Done[], { connection, cause, uncertain }: Halt): Promise<never> {
  const failures: string[] = [];
  const attempt = async (step: Step, putBack: () => Promise<string | undefined>) => {
    const failure = await putBack().catch(messageOf);
    if (failure !== undefined) failures.push(`not put back: ${renderStep(step)}: ${failure}`);
  };
  for (const step of uncertain) await attempt(step, () => undoUncertain(step, connection));
  for (const each of done.toReversed()) await attempt(each.step, () => undoOne(each, connection));
  if (failures.length === 0) {
    const state = done.length === 0 ? "nothing was changed" : `all ${done.length} changes before it were put back`;
    const problems = [`${messageOf(cause)}; ${state}`];
    throw new GatewayError("IMPORT_UNDONE", problems[0] ?? "", { cause, details: { problems } });
  }
  const problems = [messageOf(cause), ...failures];
  throw new GatewayError("IMPORT_INCOMPLETE", "the configuration is half changed", { cause, details: { problems } });
}

/** Looks whether a step that got no answer was done, and puts it back if it was. */
async function undoUncertain(step: Step, connection: AdminConnection): Promise<string | undefined> {
  const { definition, id } = step.action === "delete" ? step.before : step.after;
  const { status, etag } = await connection.send("GET", objectPath(definition, id));
  if (status !== 200 && status !== 404) return `cannot see whether it was done: status ${status}`;
  const before = step.action === "create" ? undefined : step.before.etag;
  const isDone = status === 404 ? before !== undefined : etag !== before;
  return isDone ? undoOne({ step, etag }, connection) : undefined;
}

/** Puts one step back; returns why it could not. */
async function undoOne({ step, etag }: Done, connection: AdminConnection): Promise<string | undefined> {
  if (isIrreversible(step)) return "the gateway does not show all of what was there";
  // Gateways that know no entity tags cannot tell whether somebody else was here; ours can.
  const unchanged = etag === undefined ? {} : { "If-Match": etag };
  const answer = await sendBack(step, unchanged, connection);
  return answer.status < 300 ? undefined : reasonOf(answer);
}

function sendBack(step: Step, unchanged: Readonly<Record<string, string>>, connection: AdminConnection) {
  if (step.action === "create") {
    const { definition, id } = step.after;
    return connection.send("DELETE", objectPath(definition, id), { headers: unchanged });
  }
  const { definition, id, value } = step.before;
  const headers = step.action === "delete" ? ABSENT : unchanged;
  return connection.send("PUT", objectPath(definition, id), { body: writableValue(definition, value), headers });
}
