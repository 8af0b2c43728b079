import { definePlugin } from "@fngate/plugin-kit";
import { limitRate } from "./limit-rate.ts";
import { limitReqSchema } from "./schema.ts";

/** Limits the rate of requests with a leaky bucket (APISIX: limit-req). */
export const limitReq = definePlugin({
  name: "limit-req",
  version: 0.1,
  priority: 1001,
  schema: limitReqSchema,
  secretFields: ["redis_password"],
  setup: limitRate,
});
