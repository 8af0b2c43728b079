import { defineResource } from "../definition.ts";
import { upstream as schema } from "../fields/upstream.ts";
import { clientCertificateOf } from "../references.ts";
import { bracketProblem, upstreamProblem } from "../upstream-check.ts";

/** A set of backend nodes and how requests are spread over them. APISIX: upstream. */
export const upstream = defineResource({
  kind: "upstream",
  plural: "upstreams",
  label: "upstream",
  schema,
  methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  references: [clientCertificateOf()],
  secretFields: ["tls.client_key"],
  precheck: (value) => bracketProblem(value["nodes"]),
  check: upstreamProblem,
});
