import { definePlugin } from "@fngate/plugin-kit";
import { limitBody } from "./limit-body.ts";
import { clientControlSchema } from "./schema.ts";

/** Bounds the request body (APISIX: client-control). */
export const clientControl = definePlugin({
  name: "client-control",
  version: 0.1,
  priority: 22000,
  schema: clientControlSchema,
  setup: limitBody,
});
