import { z } from "zod";
import { defineResource } from "../definition.ts";
import { closedObject, listOf } from "../fields/container.ts";
import { id, metadata } from "../fields/shared.ts";
import { text } from "../fields/text.ts";

const ID = /^[^/]+\/graphql_cost_decorations\/([^/]+)$/;

/** A position in the schema graph: a type, a field of it, or a chain of fields. */
const fieldPath = text({ pattern: "^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*$" });

const factor = z.number().min(0).default(1);

const argumentNames = listOf(text({ min: 1 }));

/** What a field of a GraphQL query costs, below the service it is asked from. APISIX: GraphQL cost decoration. */
export const graphqlCostDecoration = defineResource({
  kind: "graphql_cost_decoration",
  plural: "graphql_cost_decorations",
  label: "graphql cost decoration",
  directory: "services",
  idPattern: ID,
  schema: closedObject({
    ...metadata,
    service_id: id.optional(),
    field_path: fieldPath,
    add_value: factor,
    add_arguments: argumentNames.optional(),
    mul_value: factor,
    mul_arguments: argumentNames.optional(),
  }),
  methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  naming: {
    path: "/services/:parent/graphql_cost_decorations",
    parent: {
      kind: "service",
      missing: "service not found",
      isFirst: true,
      alone: "missing service id",
      member: {
        name: "service_id",
        wrong: "wrong service_id, it is taken from the path",
        patched: "service_id can not be patched",
      },
    },
    hasSubPaths: false,
  },
  references: [],
  secretFields: [],
  uniqueness: {
    among: ["graphql_cost_decoration"],
    claims: ({ service_id, field_path }) => [
      {
        text: JSON.stringify([service_id, field_path]),
        conflict: (owner) =>
          `field_path ${field_path} is already decorated on this service by [${ID.exec(owner.id)?.[1]}]`,
      },
    ],
  },
});
