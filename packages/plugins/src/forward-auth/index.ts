import { definePlugin } from "@fngate/plugin-kit";
import { askService } from "./authorize.ts";
import { forwardAuthSchema } from "./schema.ts";

/** Lets a service decide about requests by the status of its answer (APISIX: forward-auth). */
export const forwardAuth = definePlugin({
  name: "forward-auth",
  version: 0.1,
  priority: 2002,
  schema: forwardAuthSchema,
  setup: askService,
});
