import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { id, metadata, plugins } from "../fields/shared.ts";

/** Plugins that several consumers share. APISIX: consumer group. */
export const consumerGroup = defineResource({
  kind: "consumer_group",
  plural: "consumer_groups",
  label: "consumer group",
  schema: closedObject({ ...metadata, id, plugins }),
  methods: ["GET", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  plugins: "main",
  references: [],
  secretFields: [],
});
