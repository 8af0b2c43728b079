import { definePlugin } from "@fngate/plugin-kit";
import { breakCircuits } from "./break-circuit.ts";
import { apiBreakerSchema } from "./schema.ts";

/** Spares a failing upstream for a while: a circuit breaker (APISIX: api-breaker). */
export const apiBreaker = definePlugin({
  name: "api-breaker",
  version: 0.1,
  priority: 1005,
  schema: apiBreakerSchema,
  setup: breakCircuits,
});
