import { authKeys } from "../auth-keys.ts";
import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { desc, id, labels, plugins, timestamp } from "../fields/shared.ts";
import { text } from "../fields/text.ts";
import { byMember } from "../naming.ts";

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
  naming: { identify: byMember("username") },
  references: [{ path: ["group_id"], kind: "consumer_group", isLate: true }],
  secretFields: [],
  ownedDirectories: ["credentials"],
  check: ({ username }, urlId) => (urlId === undefined || urlId === username ? undefined : "wrong username"),
  uniqueness: { ...authKeys, isExempt: (id, owner) => owner.id.startsWith(`${id}/`) },
});
