import type { HttpCall } from "@fngate/kernel";
import type { PluginDeps, PluginInstance, RequestContext } from "@fngate/plugin-kit";
import { compileCopy } from "./copy.ts";
import { parseDurationMs } from "./duration.ts";
import type { ProxyMirrorConfig } from "./schema.ts";

/** Largest body that is copied, bytes; requests with a larger one are not mirrored. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Copies under way at once; beyond, requests are not mirrored: a slow mirror must not fill the memory. */
const MAX_UNDER_WAY = 1_000;

const DEFAULT_TIMEOUT_MS = 60_000;

/** Sends copies of requests to another service and forgets the answers. */
export function mirrorRequests(config: ProxyMirrorConfig, deps: PluginDeps): PluginInstance {
  if (config.host.startsWith("grpc")) {
    deps.logger.warn({ host: config.host }, "gRPC cannot be mirrored: the plugin does nothing");
    return {};
  }
  const copyOf = compileCopy(config);
  const sender = deps.shared.acquire("sender", () => new CopySender(deps));
  const chosen = new WeakSet<RequestContext>();
  // A request with a body is copied when it is over, and its body known.
  const waiting = new WeakMap<RequestContext, Omit<HttpCall, "timeoutMs">>();
  return {
    access(context) {
      if (config.sample_ratio < 1 && deps.random() >= config.sample_ratio) return;
      chosen.add(context);
      if (context.request.body.isPresent) context.capture("request", MAX_BODY_BYTES + 1);
    },
    beforeProxy(context) {
      // Comes again for each further attempt.
      if (!chosen.delete(context)) return;
      const copy = copyOf(context);
      if (context.request.body.isPresent) waiting.set(context, copy);
      else sender.value.send(copy);
    },
    log(context) {
      const copy = waiting.get(context);
      const body = context.captured("request");
      if (copy === undefined || body === undefined || body.length > MAX_BODY_BYTES) return undefined;
      sender.value.send({ ...copy, body });
      return undefined;
    },
    dispose: () => sender.release(),
  };
}

/** Sends copies, so many at a time. */
class CopySender {
  readonly #deps: PluginDeps;
  readonly #timeoutMs: number;
  #underWay = 0;

  constructor(deps: PluginDeps) {
    this.#deps = deps;
    this.#timeoutMs = timeoutOf(deps.attributes["timeout"]);
  }

  send(copy: Omit<HttpCall, "timeoutMs">): void {
    const { http, metrics } = this.#deps;
    const results = metrics.counter("fngate_mirrored_requests_total", {
      help: "Copies of requests by what became of them",
      labels: ["result"],
    });
    if (this.#underWay >= MAX_UNDER_WAY) {
      results.inc({ result: "dropped" });
      return;
    }
    this.#underWay += 1;
    http
      .call({ ...copy, timeoutMs: this.#timeoutMs })
      .then(
        () => results.inc({ result: "sent" }),
        () => results.inc({ result: "failed" }),
      )
      .finally(() => {
        this.#underWay -= 1;
      });
  }
}

/** One bound for the whole call, the longest of the three that APISIX has. */
function timeoutOf(attribute: unknown): number {
  const { connect, read, send } = Object(attribute) as Readonly<Record<string, unknown>>;
  const given = [connect, read, send].flatMap((text) => parseDurationMs(text) ?? []);
  return given.length === 0 ? DEFAULT_TIMEOUT_MS : Math.max(...given);
}
