import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { metadata } from "../fields/shared.ts";
import { text } from "../fields/text.ts";
import { protoContentProblem } from "../proto-content.ts";
import { isSecretReference } from "../secret-reference.ts";

/** A protocol buffer definition for `grpc-transcode`. APISIX: proto. */
export const proto = defineResource({
  kind: "proto",
  plural: "protos",
  label: "proto",
  schema: closedObject({ ...metadata, content: text({ min: 1, max: 1_048_576 }) }),
  methods: ["GET", "POST", "PUT", "DELETE"],
  hasTimestamps: true,
  references: [],
  secretFields: [],
  check: ({ content }) => (isSecretReference(content) ? undefined : protoContentProblem(content)),
  inUseMessage: ({ kind, id }) => `can not delete this proto, ${kind} [${id}] is still using it now`,
});
