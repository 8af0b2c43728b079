import {
  compileTemplate,
  type LogContext,
  type PluginDeps,
  type PluginInstance,
  type Reply,
  type RequestContext,
} from "@fngate/plugin-kit";
import { Circuits } from "./circuit.ts";
import type { ApiBreakerConfig } from "./schema.ts";

/** Answers in place of an upstream that failed too often; only what upstreams answer counts. */
export function breakCircuits(config: ApiBreakerConfig, { clock, shared }: PluginDeps): PluginInstance {
  const circuits = shared.acquire("circuits", () => new Circuits());
  const { healthy, unhealthy } = config;
  const rule = {
    failures: unhealthy.failures,
    successes: healthy.successes,
    maxOpenSeconds: config.max_breaker_sec,
  };
  const replyTo = compileReply(config);
  const nowSeconds = (): number => Math.floor(clock.now() / 1000);
  return {
    access: (context) => (circuits.value.isOpen(addressOf(context), rule, nowSeconds()) ? replyTo(context) : undefined),
    log(context) {
      const status = lastStatusOf(context);
      if (unhealthy.http_statuses.includes(status)) {
        circuits.value.countFailure(addressOf(context), rule, nowSeconds());
      } else if (healthy.http_statuses.includes(status)) circuits.value.countSuccess(addressOf(context), rule);
      return undefined;
    },
    dispose: () => circuits.release(),
  };
}

/** Status of the last attempt to ask an upstream; nothing when none was asked. */
function lastStatusOf({ variables }: LogContext): number {
  return Number(
    String(variables.get("upstream_status") ?? "")
      .split(", ")
      .at(-1) || Number.NaN,
  );
}

/** Not the route: routes that share an address share its failures (APISIX: api-breaker). */
function addressOf({ request }: RequestContext): string {
  return request.host + request.path;
}

function compileReply(config: ApiBreakerConfig): (context: RequestContext) => Reply {
  const { break_response_body: body, break_response_code: status, break_response_headers: fields = [] } = config;
  if (body === undefined) return () => ({ kind: "reply", status });
  const templates = fields.map(({ key, value }) => [key, compileTemplate(value)] as const);
  return ({ variables }) => ({
    kind: "reply",
    status,
    headers: templates.flatMap(([name, template]) => [name, template.render(variables)]),
    body,
  });
}
