import type { BalancerKind } from "./balancer.ts";
import { chash } from "./chash.ts";
import { ewma } from "./ewma.ts";
import { leastConn } from "./least-conn.ts";
import { roundRobin } from "./round-robin.ts";

/** Every balancer by its wire name (`upstream.type`). */
export const BALANCERS: ReadonlyMap<string, BalancerKind> = new Map([
  ["roundrobin", roundRobin],
  ["chash", chash],
  ["least_conn", leastConn],
  ["ewma", ewma],
]);
