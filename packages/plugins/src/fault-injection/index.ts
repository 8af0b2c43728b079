import { definePlugin } from "@fngate/plugin-kit";
import { injectFaults } from "./inject.ts";
import { faultInjectionSchema } from "./schema.ts";

/** Answers or holds up a share of the requests, to see what clients make of it (APISIX: fault-injection). */
export const faultInjection = definePlugin({
  name: "fault-injection",
  version: 0.1,
  priority: 11000,
  schema: faultInjectionSchema,
  setup: injectFaults,
});
