import { definePlugin } from "@fngate/plugin-kit";
import { authenticateByAny } from "./authenticate.ts";
import { alternativesProblem, multiAuthSchema } from "./schema.ts";

/** Lets those in whom one of several authentication plugins lets in (APISIX: multi-auth). */
export const multiAuth = definePlugin({
  name: "multi-auth",
  version: 0.1,
  priority: 2600,
  type: "auth",
  schema: multiAuthSchema,
  checkNested: alternativesProblem,
  setup: authenticateByAny,
});
