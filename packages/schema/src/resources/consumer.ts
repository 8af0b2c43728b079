import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { desc, id, labels, plugins, timestamp } from "../fields/shared.ts";
import { text } from "../fields/text.ts";

/** Who calls: a user name and the credentials of authentication plugins. APISIX: consumer. */
export const consumer = defineResource({
  kind: "consumer",
  plural: "consumers",
  label: "consumer",
  schema: closedObject({
    username: text({ min: 1, max: 256, pattern: "^[a-zA-Z0-9_\\-]+$" }),
    group_id: id.optional(),
    plugins: plugins.optional(),
    id: id.optional(),
    desc: desc.optional(),
    labels: labels.optional(),
    create_time: timestamp.optional(),
    update_time: timestamp.optional(),
  }),
  methods: ["GET", "PUT", "DELETE"],
  hasTimestamps: true,
  plugins: "consumer",
  references: [{ path: ["group_id"], kind: "consumer_group" }],
  secretFields: [],
  needsOwnApi: true,
});
