import { z } from "zod";
import { authKeys } from "../auth-keys.ts";
import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { atMostProperties } from "../fields/rules.ts";
import { id, metadata, pluginsWith } from "../fields/shared.ts";
import { text } from "../fields/text.ts";

const longId = text({ min: 15, max: 128, pattern: "^[a-zA-Z0-9-_]+/credentials/[a-zA-Z0-9-_.]+$" });

/** One more credential of a consumer, below the consumer's key. APISIX: credential. */
export const credential = defineResource({
  kind: "credential",
  plural: "credentials",
  label: "credential",
  directory: "consumers",
  idPattern: /^[^/]+\/credentials\/[^/]+$/,
  schema: closedObject({
    ...metadata,
    id: z.xor([id, longId]).optional(),
    plugins: pluginsWith(atMostProperties(1)).optional(),
  }),
  methods: ["GET", "PUT", "DELETE"],
  hasTimestamps: true,
  plugins: "consumer",
  naming: {
    path: "/consumers/:parent/credentials",
    parent: { kind: "consumer", missing: "consumer not found" },
  },
  references: [],
  secretFields: [],
  lateCheck: ({ plugins = {} }, catalog) =>
    Object.keys(plugins).every((name) => catalog.get(name)?.type === "auth")
      ? undefined
      : "only supports auth type plugins in consumer credential",
  uniqueness: authKeys,
});
