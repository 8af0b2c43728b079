import { GatewayError } from "@fngate/kernel";
import type { CompileOptions } from "./compiled-upstream.ts";
import { type NameAccess, type NamedNodes, resolveNames, resolveService } from "./named-nodes.ts";
import type { NodeAddress } from "./parse-nodes.ts";
import type { UpstreamConfig } from "./upstream-config.ts";
import { DEFAULT_PORTS, schemeOf } from "./upstream-settings.ts";

/** Status of requests to an upstream whose nodes are found in a way that is not there (APISIX: discovery). */
const NOT_DISCOVERED = 503;

/**
 * The nodes of a service, or those that names among `addresses` stand for; nothing when all are addresses.
 *
 * @throws GatewayError `UPSTREAM_INVALID` for a kind of discovery that is not there
 */
export function findNamedNodes(
  config: UpstreamConfig,
  addresses: readonly NodeAddress[],
  options: CompileOptions,
): NamedNodes | undefined {
  const { acquireName: acquire, monotonicMs = () => performance.now() } = options;
  const access = acquire && { acquire, monotonicMs };
  if (config.service_name === undefined) return access && resolveNames(addresses, access);
  return resolveService(config.service_name, DEFAULT_PORTS[schemeOf(config)], discoveryOf(config, options, access));
}

function discoveryOf(
  { discovery_type: type }: UpstreamConfig,
  { isDiscoveryOn = false }: CompileOptions,
  access: NameAccess | undefined,
): NameAccess {
  const details = { discovery: type, status: NOT_DISCOVERED };
  if (type !== "dns") {
    const message = `discovery_type ${type} is not supported: dns is the only one`;
    throw new GatewayError("UPSTREAM_INVALID", message, { details });
  }
  if (access !== undefined && isDiscoveryOn) return access;
  const message = "discovery_type dns is not configured: the static configuration has no discovery.dns";
  throw new GatewayError("UPSTREAM_INVALID", message, { details });
}
