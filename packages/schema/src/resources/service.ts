import { z } from "zod";
import { defineResource } from "../definition.ts";
import { closedObject } from "../fields/container.ts";
import { hosts, id, metadata, plugins, script } from "../fields/shared.ts";
import { upstream } from "../fields/upstream.ts";
import { clientCertificateOf } from "../references.ts";
import { upstreamProblem } from "../upstream-check.ts";

/** What several routes share: plugins, upstream, hosts. APISIX: service. */
export const service = defineResource({
  kind: "service",
  plural: "services",
  label: "service",
  schema: closedObject({
    ...metadata,
    plugins: plugins.optional(),
    upstream: upstream.optional(),
    upstream_id: id.optional(),
    script: script.optional(),
    enable_websocket: z.boolean().optional(),
    hosts: hosts.optional(),
  }),
  methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  plugins: "main",
  references: [clientCertificateOf("upstream"), { path: ["upstream_id"], kind: "upstream" }],
  secretFields: ["upstream.tls.client_key"],
  inUseMessage: ({ kind, id: userId }) =>
    `can not delete this service directly, ${kind} [${userId}] is still using it now`,
  ownedDirectories: ["graphql_cost_decorations"],
  isBornAlone: true,
  check: ({ upstream: embedded }) => (embedded === undefined ? undefined : upstreamProblem(embedded)),
});
