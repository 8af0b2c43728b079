import type {
  FunctionCall,
  GatewayRequest,
  PhaseResult,
  PluginDeps,
  PluginInstance,
  RequestContext,
  UpstreamRequest,
} from "@fngate/plugin-kit";
import { type Destinations, openDestinations, releaseDestinations } from "./function-destinations.ts";
import type { FunctionConfig } from "./function-fields.ts";
import { functionHeaders } from "./function-headers.ts";
import { joinFunctionPath, joinRewrittenPath } from "./function-path.ts";
import { type BodyLimit, CALL_FAILED_STATUS, createAddressRefusal, refuseBody } from "./function-refusals.ts";
import { parseFunctionUri } from "./function-uri.ts";
import { encodeQuery } from "./query.ts";

/** What a function plugin hands to {@link forwardToFunction}. */
export interface FunctionOptions {
  readonly config: FunctionConfig;
  /** Flat `[name, value, …]`, lower-case names, sent in place of the client's fields of these names. */
  readonly credentials: (request: GatewayRequest) => readonly string[];
  /** What becomes of the call before it is made, for credentials that depend on all of it; absent: nothing. */
  readonly prepare?: (call: FunctionCall, request: GatewayRequest) => FunctionCall | Promise<PhaseResult>;
}

const BODY_TOO_LARGE_STATUS = 400;

/**
 * What all function plugins are: in the access phase the request becomes a call to the function, whatever the
 * route's upstream. They differ in their credentials only (APISIX: generic-upstream).
 *
 * Everything that depends on the configuration alone is computed here; the data plane carries the call out.
 */
export function forwardToFunction(options: FunctionOptions, deps: PluginDeps): PluginInstance {
  const { config, credentials, prepare } = options;
  const { areFunctionTargetsRewritten, logger } = deps;
  const address = parseFunctionUri(config.function_uri);
  const limit: BodyLimit = { maxBytes: config.max_req_body_size, status: BODY_TOO_LARGE_STATUS };
  if (address === undefined) {
    const refuseUri = createAddressRefusal("functionUri", config.function_uri, logger);
    return { access: ({ request }) => refuseBody(request, limit, logger) ?? refuseUri() };
  }
  const destinations = openDestinations(address, config, deps.connections);
  const { basePath } = address;
  const prepared = { basePath, destinations, credentials, limit, isRewritten: areFunctionTargetsRewritten };
  return {
    access(context) {
      const refusal = refuseBody(context.request, limit, logger);
      if (refusal !== undefined) return refusal;
      const call = callOf(context, prepared);
      return prepare === undefined ? call : prepare(call, context.request);
    },
    dispose: () => releaseDestinations(destinations),
  };
}

/** All that calls need of a configuration, which is not kept itself: there are many. */
interface PreparedFunction {
  readonly basePath: string;
  readonly destinations: Destinations;
  readonly credentials: FunctionOptions["credentials"];
  readonly limit: BodyLimit;
  /** {@link PluginDeps.areFunctionTargetsRewritten} */
  readonly isRewritten: boolean;
}

function callOf({ request, route, upstream }: RequestContext, prepared: PreparedFunction): FunctionCall {
  const { basePath, credentials, destinations, isRewritten, limit } = prepared;
  const { endpoint, hostHeader } = destinations[request.scheme];
  const changed = isRewritten ? upstream : UNCHANGED;
  // What a plugin put in place of the client's path is wanted whole, whichever part of it the route covers.
  const path =
    changed.path === undefined
      ? joinFunctionPath(basePath, { remainder: route?.remainder, path: request.path })
      : joinRewrittenPath(basePath, changed.path);
  const query = encodeQuery(changed.query ?? request.query);
  return {
    kind: "call",
    endpoint,
    method: request.method,
    target: query === "" ? path : `${path}?${query}`,
    headers: functionHeaders(request.headers, changed.host ?? hostHeader, credentials(request)),
    maxBodyBytes: limit.maxBytes,
    bodyTooLargeStatus: limit.status,
    failureStatus: CALL_FAILED_STATUS,
  };
}

/** A request that no plugin changed anything of. */
const UNCHANGED: Pick<UpstreamRequest, "path" | "query" | "host"> = {
  path: undefined,
  query: undefined,
  host: undefined,
};
