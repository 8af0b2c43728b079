import type { Connections } from "@fngate/kernel";
import { createDnsResolver, createUpstreams, type NameResolver, type Upstreams } from "@fngate/proxy";
import type { DataPlaneOptions, UpstreamOptions } from "./options.ts";

/** The upstreams of a data plane, with names and services resolved as its options say. */
export function openUpstreams(options: DataPlaneOptions, connections: Connections): Upstreams {
  const { caCertificates = [], clock, logger, random = Math.random, upstreams = {} } = options;
  const { areChecksEnabled = true, keepalive } = upstreams;
  return createUpstreams({
    connections,
    clock,
    logger,
    random,
    caCertificates,
    areChecksEnabled,
    resolver: resolverOf(upstreams),
    ...(keepalive && { keepalive }),
  });
}

/** Services have servers of their own and do not look into the hosts file (APISIX: discovery by DNS). */
function resolverOf({ dns, discovery }: UpstreamOptions): NameResolver {
  const hosts = createDnsResolver(dns);
  if (discovery === undefined) return { host: (name) => hosts.host(name) };
  const services = createDnsResolver({ hostsPath: "", ...discovery.dns });
  return { host: (name) => hosts.host(name), service: (name) => services.service(name) };
}
