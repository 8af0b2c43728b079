import type { Connections, Endpoint, Logger, Target } from "@fngate/kernel";
import type {
  FunctionCall,
  GatewayRequest,
  PluginDeps,
  PluginInstance,
  Reply,
  RequestContext,
} from "@fngate/plugin-kit";
import type { FunctionConfig } from "./function-fields.ts";
import { functionHeaders } from "./function-headers.ts";
import { joinFunctionPath, joinRewrittenPath } from "./function-path.ts";
import { type FunctionAddress, hostHeaderOf, parseFunctionUri, portOf } from "./function-uri.ts";
import { encodeQuery } from "./query.ts";

/** What a function plugin hands to {@link forwardToFunction}. */
export interface FunctionOptions {
  /** The plugin's name, for logs. */
  readonly plugin: string;
  readonly config: FunctionConfig;
  /** Flat `[name, value, …]`, lower-case names, sent in place of the client's fields of these names. */
  readonly credentials: (request: GatewayRequest) => readonly string[];
}

/** Where a request of one scheme goes. */
interface Destination {
  readonly endpoint: Endpoint;
  readonly hostHeader: string;
}

/** By the scheme of the client's request; both are the same unless the address inherits it. */
type Destinations = Readonly<Record<"http" | "https", Destination>>;

/** Node's timers take no more than this many milliseconds and fire at once beyond. */
const LONGEST_TIMER_MS = 2_147_483_647;

const BODY_TOO_LARGE_STATUS = 400;
const CALL_FAILED_STATUS = 503;

/**
 * What all function plugins are: in the access phase the request becomes a call to the function, whatever the
 * route's upstream. They differ in their credentials only (APISIX: generic-upstream).
 *
 * Everything that depends on the configuration alone is computed here; the data plane carries the call out.
 */
export function forwardToFunction(options: FunctionOptions, deps: PluginDeps): PluginInstance {
  const { config, plugin } = options;
  const logger = deps.logger.child({ plugin });
  const address = parseFunctionUri(config.function_uri);
  if (address === undefined) {
    const refuseUri = createUriRefusal(config, logger);
    return { access: ({ request }) => refuseBody(request, config, logger) ?? refuseUri() };
  }
  const destinations = openDestinations(address, config, deps.connections);
  return {
    access: (context) =>
      refuseBody(context.request, config, logger) ?? callOf(context, { address, destinations, options }),
    dispose: () => {
      destinations.http.endpoint.release();
      if (destinations.https !== destinations.http) destinations.https.endpoint.release();
    },
  };
}

interface PreparedFunction {
  readonly address: FunctionAddress;
  readonly destinations: Destinations;
  readonly options: FunctionOptions;
}

function callOf(context: RequestContext, prepared: PreparedFunction): FunctionCall {
  const { request, route, upstream } = context;
  const { endpoint, hostHeader } = prepared.destinations[request.scheme];
  const { basePath } = prepared.address;
  // What a plugin put in place of the client's path is wanted whole, whichever part of it the route covers.
  const path =
    upstream.path === undefined
      ? joinFunctionPath(basePath, { remainder: route?.remainder, path: request.path })
      : joinRewrittenPath(basePath, upstream.path);
  const query = encodeQuery(upstream.query ?? request.query);
  return {
    kind: "call",
    endpoint,
    method: request.method,
    target: query === "" ? path : `${path}?${query}`,
    headers: functionHeaders(request.headers, upstream.host ?? hostHeader, prepared.options.credentials(request)),
    maxBodyBytes: prepared.options.config.max_req_body_size,
    bodyTooLargeStatus: BODY_TOO_LARGE_STATUS,
    failureStatus: CALL_FAILED_STATUS,
  };
}

/** The answer to a body whose declared length is over the limit; nothing of it is read. */
function refuseBody({ body }: GatewayRequest, config: FunctionConfig, logger: Logger): Reply | undefined {
  const declaredBytes = body.declaredBytes ?? 0;
  if (declaredBytes <= config.max_req_body_size) return undefined;
  logger.error({ declaredBytes, maxBytes: config.max_req_body_size }, "request body is larger than the function takes");
  return { kind: "reply", status: BODY_TOO_LARGE_STATUS };
}

/** The answer where there is no address to call; the log hears of it with the first request. */
function createUriRefusal(config: FunctionConfig, logger: Logger): () => Reply {
  let isLogged = false;
  return () => {
    if (!isLogged) {
      const functionUri = withoutUserInfo(config.function_uri);
      logger.error({ functionUri }, "function_uri is no address that can be called");
    }
    isLogged = true;
    return { kind: "reply", status: CALL_FAILED_STATUS };
  };
}

/** User information is a common reason for a bad address, and a secret. */
function withoutUserInfo(uri: string): string {
  return uri.replace(/[^/]*@/g, "***@");
}

function openDestinations(address: FunctionAddress, config: FunctionConfig, connections: Connections): Destinations {
  const open = (scheme: "http" | "https"): Destination => ({
    endpoint: connections.acquire(targetOf(address, scheme, config)),
    hostHeader: hostHeaderOf(address, scheme),
  });
  if (address.scheme !== "inherit") {
    const only = open(address.scheme);
    return { http: only, https: only };
  }
  const http = open("http");
  try {
    return { http, https: open("https") };
  } catch (error) {
    http.endpoint.release();
    throw error;
  }
}

function targetOf(address: FunctionAddress, scheme: "http" | "https", config: FunctionConfig): Target {
  const timeoutMs = Math.min(config.timeout, LONGEST_TIMER_MS);
  return {
    scheme,
    host: address.host,
    port: portOf(address, scheme),
    ...(scheme === "https" ? { tls: { verify: config.ssl_verify } } : {}),
    keepalive: {
      idleConnections: config.keepalive ? config.keepalive_pool : 0,
      idleTimeoutMs: Math.min(config.keepalive_timeout, LONGEST_TIMER_MS),
    },
    timeouts: { connectMs: timeoutMs, sendMs: timeoutMs, readMs: timeoutMs },
  };
}
