import type { ConstraintStrategy } from "./constraint.ts";
import { HostPatterns } from "./host-patterns.ts";

/** The host must fit one of the patterns; for the routers in which hosts only filter. */
export const hostsStrategy: ConstraintStrategy = {
  name: "hosts",
  compile: ({ hosts }) => (hosts.length === 0 ? undefined : new HostPatterns(hosts)),
};
