import { definePlugin } from "@fngate/plugin-kit";
import { redirectClients } from "./redirect.ts";
import { redirectSchema } from "./schema.ts";

/** Sends clients to another address (APISIX: redirect). */
export const redirect = definePlugin({
  name: "redirect",
  version: 0.1,
  priority: 900,
  schema: redirectSchema,
  setup: redirectClients,
});
