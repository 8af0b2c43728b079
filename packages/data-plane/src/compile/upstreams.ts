import { GatewayError, messageOf } from "@fngate/kernel";
import type { PluginUpstream } from "@fngate/plugin-kit";
import type { UpstreamConfig } from "@fngate/proxy";
import { isKnownToRoutes } from "../http/request-variables.ts";
import type { ObjectStage } from "./object-stage.ts";
import type { RouteTimeout, UpstreamChoice } from "./snapshot.ts";
import { UpstreamHandle } from "./upstream-handle.ts";

/** Status of requests to an upstream that cannot be called (APISIX: an unknown balancer type). */
const UNUSABLE_UPSTREAM = 500;

/** Compiles an upstream, which APISIX calls by the key of the object that holds it. One that cannot be called is a warning: the object's plugins may never need it. */
export function compileUpstreamStage(config: UpstreamConfig, stage: ObjectStage): UpstreamHandle | number {
  warnOfHashKey(config, stage);
  try {
    return new UpstreamHandle(config, stage.entry.key, stage.deps.compileUpstream);
  } catch (error) {
    stage.findings.warn("INVALID_UPSTREAM", "upstream", messageOf(error));
    return statusOf(error);
  }
}

/** The one variable that a hash may go by and that HTTP does not have: `mqtt_client_id`. */
function warnOfHashKey({ hash_on: hashOn, key, type }: UpstreamConfig, { findings }: ObjectStage): void {
  if (type !== "chash" || (hashOn ?? "vars") !== "vars" || key === undefined || isKnownToRoutes(key)) return;
  const message = `the variable ${key} is never there: requests are hashed by their clients' addresses`;
  findings.warn("UNSUPPORTED_FIELD", "upstream.key", message);
}

/** The status that an error says requests get. */
function statusOf(error: unknown): number {
  const status = error instanceof GatewayError ? error.details["status"] : undefined;
  return typeof status === "number" ? status : UNUSABLE_UPSTREAM;
}

interface UpstreamFields {
  readonly upstream_id?: string | number | undefined;
  readonly upstream?: UpstreamConfig | undefined;
}

/** Where a route or service sends requests; a route's `timeout` takes the place of its upstream's. */
export function chooseUpstream(
  stored: UpstreamFields,
  timeout: RouteTimeout | undefined,
  stage: ObjectStage,
): UpstreamChoice {
  if (stored.upstream_id !== undefined) return { upstreamId: String(stored.upstream_id), upstream: undefined };
  if (stored.upstream === undefined) return { upstreamId: undefined, upstream: undefined };
  const config = timeout === undefined ? stored.upstream : { ...stored.upstream, timeout };
  return { upstreamId: undefined, upstream: compileUpstreamStage(config, stage) };
}

/** An upstream inside a plugin's configuration. */
export class InlineUpstream implements PluginUpstream {
  readonly handle: UpstreamHandle;

  constructor(handle: UpstreamHandle) {
    this.handle = handle;
  }

  release(): void {
    this.handle.dispose();
  }
}
