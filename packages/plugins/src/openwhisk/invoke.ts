import { HeaderList, type Logger } from "@fngate/kernel";
import type { FunctionCall, PluginDeps, PluginInstance } from "@fngate/plugin-kit";
import { openDestinations, releaseDestinations } from "../shared/function-destinations.ts";
import { type BodyLimit, CALL_FAILED_STATUS, createAddressRefusal, refuseBody } from "../shared/function-refusals.ts";
import { type FunctionAddress, parseFunctionUri } from "../shared/function-uri.ts";
import { percentEncode } from "../shared/percent-encoding.ts";
import { readActivation } from "./read-activation.ts";
import type { OpenwhiskConfig } from "./schema.ts";

/** Largest answer of OpenWhisk in bytes, which is read whole; its own limit for results is 1 MiB unless raised. */
const MAX_ANSWER_BYTES = 67_108_864;

const BODY_TOO_LARGE_STATUS = 413;

/** Sets up the calls of one configuration: always the same request, with the client's body. */
export function invokeAction(config: OpenwhiskConfig, deps: PluginDeps): PluginInstance {
  const { logger } = deps;
  const limit: BodyLimit = { maxBytes: config.max_req_body_size, status: BODY_TOO_LARGE_STATUS };
  const address = parseFunctionUri(config.api_host);
  if (address === undefined) {
    const refuseHost = createAddressRefusal("apiHost", config.api_host, logger);
    return { access: ({ request }) => refuseBody(request, limit, logger) ?? refuseHost() };
  }
  const destinations = openDestinations(address, config, deps.connections);
  const call = commonCall(address, config, logger);
  const token = Buffer.from(config.service_token, "utf8").toString("base64");
  const fields = ["authorization", `Basic ${token}`, "content-type", "application/json", "user-agent", "fngate"];
  return {
    access({ request }) {
      const refusal = refuseBody(request, limit, logger);
      if (refusal !== undefined) return refusal;
      const { authority, endpoint } = destinations[request.scheme];
      return { ...call, endpoint, headers: new HeaderList(["host", authority, ...fields]) };
    },
    dispose: () => releaseDestinations(destinations),
  };
}

/** What every call of a configuration has in common. */
function commonCall(
  address: FunctionAddress,
  config: OpenwhiskConfig,
  logger: Logger,
): Omit<FunctionCall, "endpoint" | "headers"> {
  return {
    kind: "call",
    method: "POST",
    target: targetOf(address, config),
    maxBodyBytes: config.max_req_body_size,
    bodyTooLargeStatus: BODY_TOO_LARGE_STATUS,
    failureStatus: CALL_FAILED_STATUS,
    reading: {
      maxBytes: MAX_ANSWER_BYTES,
      read(status, body) {
        const reply = readActivation(status, body);
        if (reply === undefined) logger.error({ action: config.action, status }, "OpenWhisk's answer cannot be read");
        return reply;
      },
    },
  };
}

/** Path and query of the action (OpenWhisk REST API: invoke an action). */
function targetOf({ basePath }: FunctionAddress, config: OpenwhiskConfig): string {
  const { action, namespace, package: packageName, result, timeout } = config;
  const names = packageName === undefined ? [action] : [packageName, action];
  const path = ["", "api", "v1", "namespaces", encode(namespace), "actions", ...names.map(encode)].join("/");
  return `${basePath}${path}?blocking=true&result=${result}&timeout=${timeout}`;
}

/** A name may hold blanks. */
function encode(name: string): string {
  return percentEncode(name, "@._-");
}
