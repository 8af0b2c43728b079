import { messageOf } from "@fngate/kernel";
import type { PluginDeps, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import { type Decision, parseDecision } from "./decision.ts";
import { inputOf } from "./input.ts";
import type { OpaConfig } from "./schema.ts";

/** Nobody could be asked: the request is refused. */
const UNASKED: Reply = { kind: "reply", status: 403 };

/** The server answered something else than a decision. */
const UNREADABLE: Reply = { kind: "reply", status: 503 };

/** Asks an OPA server about every request. */
export function authorizeRequests(config: OpaConfig, { clock, http, logger }: PluginDeps): PluginInstance {
  const { keepalive, send_headers_upstream: names = [], ssl_verify: verifyTls, timeout: timeoutMs } = config;
  const url = `${config.host}/v1/data/${config.policy}`;
  const headers = ["Content-Type", "application/json"];
  const question = { method: "POST", url, headers, timeoutMs, verifyTls, keepalive };
  return {
    async access(context) {
      const body = JSON.stringify({ input: inputOf(config, context, clock.now()) });
      let answer: Uint8Array;
      try {
        answer = (await http.call({ ...question, body, signal: context.signal })).body;
      } catch (error) {
        logger.error({ reason: messageOf(error) }, "no decision: the OPA server cannot be asked");
        return UNASKED;
      }
      const decision = parseDecision(answer);
      if (decision === undefined) {
        logger.error({ url }, "no decision: the OPA server's answer cannot be read");
        return UNREADABLE;
      }
      if (decision.allow !== true) return refusalOf(decision);
      passFields(context, names, decision);
      return undefined;
    },
  };
}

function refusalOf({ headers = {}, reason, status_code: status = 403 }: Decision): Reply {
  const fields = Object.entries(headers).flat();
  if (reason === undefined || reason === null) return { kind: "reply", status, headers: fields };
  return { kind: "reply", status, headers: fields, body: typeof reason === "string" ? reason : JSON.stringify(reason) };
}

/** A field that the decision does not name must not come from the client either. */
function passFields({ request }: RequestContext, names: readonly string[], { headers = {} }: Decision): void {
  for (const name of names) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value === undefined) request.headers.delete(name.toLowerCase());
    else request.headers.set(name, value);
  }
}
