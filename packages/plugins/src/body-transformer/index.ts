import { definePlugin } from "@fngate/plugin-kit";
import { refuseLua } from "../shared/lua-refusal.ts";
import { type BodyTransformerConfig, bodyTransformerSchema } from "./schema.ts";

/** Known, validated and refused: its templates are Lua (APISIX: body-transformer; docs/decision-body-templates.md). */
export const bodyTransformer = definePlugin({
  name: "body-transformer",
  version: 0.1,
  priority: 1080,
  schema: bodyTransformerSchema,
  setup: ({ request }: BodyTransformerConfig) =>
    refuseLua(request === undefined ? "response.template" : "request.template"),
});
