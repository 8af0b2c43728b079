import { isIPv6 } from "node:net";
import { checkValue } from "./check-value.ts";
import { isRecord } from "./fields/rules.ts";
import { hashHeader, hashVariable, type Upstream } from "./fields/upstream.ts";
import { tlsPairProblem } from "./pem.ts";

/** Rules of an upstream that its schema cannot say; returns the whole `error_msg`. APISIX: upstream checks. */
export function upstreamProblem(upstream: Upstream): string | undefined {
  return (
    bracketProblem(upstream.nodes) ??
    portProblem(upstream.nodes) ??
    passHostProblem(upstream) ??
    tlsPairProblem(upstream.tls?.client_cert, upstream.tls?.client_key) ??
    hashKeyProblem(upstream)
  );
}

/** IPv6 hosts of the array form need brackets; keys of the map form are not looked at. */
export function bracketProblem(nodes: unknown): string | undefined {
  if (!Array.isArray(nodes)) return undefined;
  const isBare = nodes.some(
    (node: unknown) => isRecord(node) && typeof node["host"] === "string" && isIPv6(node["host"]),
  );
  return isBare ? "invalid configuration: IPv6 address must be enclosed with '[' and ']'" : undefined;
}

function portProblem(nodes: Upstream["nodes"]): string | undefined {
  if (nodes === undefined || Array.isArray(nodes)) return undefined;
  const port = Object.keys(nodes)
    .map(portOf)
    .find((candidate) => candidate !== undefined && (candidate < 1 || candidate > 65_535));
  return port === undefined ? undefined : `invalid port ${port}`;
}

/** Port of `host:port` or `[address]:port`. */
function portOf(address: string): number | undefined {
  const digits = /^(?:\[[^\]]*\]|[^:]*):(\d+)$/.exec(address)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function passHostProblem({ pass_host, upstream_host }: Upstream): string | undefined {
  if (pass_host !== "rewrite" || (upstream_host !== undefined && upstream_host !== "")) return undefined;
  return "`upstream_host` can't be empty when `pass_host` is `rewrite`";
}

function hashKeyProblem({ type, hash_on, key }: Upstream): string | undefined {
  if (type !== "chash" || hash_on === "consumer") return undefined;
  if (key === undefined) return "missing key";
  if (hash_on === "vars_combinations") return undefined;
  const checked = checkValue(hash_on === "vars" ? hashVariable : hashHeader, key);
  return checked.ok ? undefined : `invalid configuration: ${checked.message}`;
}
