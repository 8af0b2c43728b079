import { definePlugin } from "@fngate/plugin-kit";
import { attachLabels } from "./attach-labels.ts";
import { attachConsumerLabelSchema } from "./schema.ts";

/** Tells whoever is called what the labels of the caller are (APISIX: attach-consumer-label). */
export const attachConsumerLabel = definePlugin({
  name: "attach-consumer-label",
  version: 0.1,
  priority: 2399,
  schema: attachConsumerLabelSchema,
  setup: attachLabels,
});
