import { nginxTimeMs } from "./nginx-units.ts";
import type { ConfigFile } from "./schema.ts";

/** How names are looked up; what is absent is as the machine's own files say. */
export interface DnsSettings {
  readonly servers?: readonly string[];
  readonly resolvConfPath?: string;
  readonly serviceOrder?: readonly string[];
  readonly validMs?: number;
  readonly timeoutMs?: number;
  readonly isSearchOn?: boolean;
}

/** How upstreams are called, as far as they do not say so themselves. */
export interface UpstreamSettings {
  readonly areChecksEnabled: boolean;
  readonly dns: DnsSettings;
  readonly discovery?: { readonly dns: DnsSettings };
  readonly keepalive: {
    readonly idleConnections: number;
    readonly idleTimeoutMs: number;
    readonly maxRequests: number;
  };
}

/** What the configuration says of upstreams in general. */
export function createUpstreamSettings(file: ConfigFile): UpstreamSettings {
  const { apisix, nginx_config: nginx } = file;
  const keepalive = nginx?.http?.upstream;
  const timeoutMs = (apisix?.resolver_timeout ?? 5) * 1_000;
  const services = file.discovery?.dns;
  return {
    areChecksEnabled: apisix?.disable_upstream_healthcheck !== true,
    dns: {
      timeoutMs,
      isSearchOn: apisix?.enable_resolv_search_opt ?? true,
      ...(apisix?.dns_resolver && { servers: apisix.dns_resolver }),
      ...(apisix?.dns_resolver_valid && { validMs: apisix.dns_resolver_valid * 1_000 }),
    },
    ...(services && {
      discovery: {
        dns: {
          timeoutMs,
          ...(services.servers && { servers: services.servers }),
          ...(services.resolv_conf && { resolvConfPath: services.resolv_conf }),
          ...(services.order && { serviceOrder: services.order }),
        },
      },
    }),
    keepalive: {
      idleConnections: keepalive?.keepalive ?? 320,
      idleTimeoutMs: nginxTimeMs(keepalive?.keepalive_timeout ?? "60s"),
      maxRequests: keepalive?.keepalive_requests ?? 1000,
    },
  };
}
