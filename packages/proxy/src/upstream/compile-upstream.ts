import type { Connections } from "@fngate/kernel";
import type { CompiledUpstream, CompileOptions } from "./compiled-upstream.ts";
import { LiveUpstream } from "./live-upstream.ts";
import type { UpstreamConfig } from "./upstream-config.ts";

/**
 * Compiles an upstream object: parses its nodes, acquires their endpoints and builds a balancer per priority group.
 *
 * A route's own `timeout` replaces the upstream's: hand in `{ ...upstream, timeout: route.timeout }`.
 *
 * @throws GatewayError `UPSTREAM_INVALID` for an unknown `type` or `scheme`, or a node that cannot be read
 */
export function compileUpstream(
  config: UpstreamConfig,
  connections: Connections,
  options: CompileOptions = {},
): CompiledUpstream {
  return new LiveUpstream(config, connections, options);
}
