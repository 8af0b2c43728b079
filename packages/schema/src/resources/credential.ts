import { z } from "zod";
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
  references: [],
  secretFields: [],
  needsOwnApi: true,
});
