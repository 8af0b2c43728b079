import { GatewayError, messageOf } from "@fngate/kernel";
import type { PluginUpstream } from "@fngate/plugin-kit";
import type { UpstreamConfig } from "@fngate/proxy";
import { isKnownToRoutes } from "../http/request-variables.ts";
import { type PairProblem, readPair } from "./key-pair.ts";
import type { ObjectStage } from "./object-stage.ts";
import type { RouteTimeout, UpstreamChoice } from "./snapshot.ts";
import { UpstreamHandle } from "./upstream-handle.ts";

/** Status of requests to an upstream that cannot be called (APISIX: an unknown balancer type). */
const UNUSABLE_UPSTREAM = 500;

/** Status of requests whose client certificate cannot be read (APISIX upstream, failure answers). */
export const UNREADABLE_CERTIFICATE = 503;

/** Compiles an upstream, which APISIX calls by the key of the object that holds it. One that cannot be called is a warning: the object's plugins may never need it. */
export function compileUpstreamStage(config: UpstreamConfig, stage: ObjectStage): UpstreamHandle | number {
  warnOfHashKey(config, stage);
  const problem = certificateProblem(config);
  if (problem !== undefined) {
    stage.findings.warn("INVALID_CERTIFICATE", `upstream.tls.client_${problem.part}`, problem.message);
    return UNREADABLE_CERTIFICATE;
  }
  try {
    return new UpstreamHandle(config, stage.entry.key, stage.deps.compileUpstream);
  } catch (error) {
    stage.findings.warn("INVALID_UPSTREAM", "upstream", messageOf(error));
    return statusOf(error);
  }
}

/** What is wrong with the certificate that nodes are shown; those without TLS are shown none. */
function certificateProblem({ scheme, tls }: UpstreamConfig): PairProblem | undefined {
  const { client_cert: cert, client_key: key } = tls ?? {};
  if ((scheme !== "https" && scheme !== "grpcs") || cert === undefined || key === undefined) return undefined;
  const read = readPair({ cert, key });
  return "part" in read ? read : undefined;
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
