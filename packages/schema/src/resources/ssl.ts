import type { z } from "zod";
import { defineResource } from "../definition.ts";
import { closedObject, listOf, openObject } from "../fields/container.ts";
import { integer } from "../fields/integer.ts";
import { ifThenElse, oneOfRequired, required } from "../fields/rules.ts";
import { certificate, desc, host, id, labels, privateKey, status, timestamp } from "../fields/shared.ts";
import { choice, text } from "../fields/text.ts";
import { certificateProblem, tlsPairProblem } from "../pem.ts";
import { isSecretReference } from "../secret-reference.ts";

const client = openObject({
  ca: certificate,
  depth: integer({ min: 0 }).default(1),
  skip_mtls_uri_regex: listOf(text(), { min: 1, isUnique: true }).optional(),
});

const schema = closedObject(
  {
    id: id.optional(),
    desc: desc.optional(),
    labels: labels.optional(),
    create_time: timestamp.optional(),
    update_time: timestamp.optional(),
    type: choice(["server", "client"]).default("server"),
    cert: certificate.optional(),
    key: privateKey.optional(),
    sni: host.optional(),
    snis: listOf(host, { min: 1 }).optional(),
    certs: listOf(certificate).optional(),
    keys: listOf(privateKey).optional(),
    client: client.optional(),
    status,
    ssl_protocols: listOf(choice(["TLSv1.1", "TLSv1.2", "TLSv1.3"]), { max: 3, isUnique: true }).optional(),
  },
  ifThenElse(
    {
      holds: (value) => value["type"] === "server",
      json: { properties: { type: { enum: ["server"] } } },
    },
    oneOfRequired(["sni", "key", "cert"], ["snis", "key", "cert"]),
    required("key", "cert"),
  ),
);

/** A certificate with its key: a server's, chosen by name, or a client's for upstreams. APISIX: ssl. */
export const ssl = defineResource({
  kind: "ssl",
  plural: "ssls",
  label: "ssl",
  schema,
  methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  references: [],
  secretFields: ["key", "keys"],
  hiddenFields: ["key", "keys"],
  check: (value) =>
    tlsPairProblem(value.cert, value.key) ?? (value.type === "server" ? morePairsProblem(value) : undefined),
});

function morePairsProblem({ certs = [], keys = [], client: mutual }: z.output<typeof schema>): string | undefined {
  if (certs.length !== keys.length) return "mismatched number of certs and keys";
  for (const [index, cert] of certs.entries()) {
    const problem = tlsPairProblem(cert, keys[index]);
    if (problem !== undefined) return `failed to handle cert-key pair[${index + 1}]: ${problem}`;
  }
  if (mutual === undefined || isSecretReference(mutual.ca)) return undefined;
  const problem = certificateProblem(mutual.ca);
  return problem === undefined ? undefined : `failed to validate client_cert: ${problem}`;
}
