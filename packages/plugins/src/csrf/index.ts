import { definePlugin } from "@fngate/plugin-kit";
import { protectWithTokens } from "./protect.ts";
import { csrfSchema } from "./schema.ts";

/** Keeps other sites from sending requests in a user's name: a double-submit token (APISIX: csrf). */
export const csrf = definePlugin({
  name: "csrf",
  version: 0.1,
  priority: 2980,
  schema: csrfSchema,
  secretFields: ["key"],
  setup: protectWithTokens,
});
