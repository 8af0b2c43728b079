import { z } from "zod";
import { defineResource } from "../definition.ts";
import { listOf, openObject } from "../fields/container.ts";
import { oneOfRequired } from "../fields/rules.ts";
import { uri } from "../fields/shared.ts";
import { text } from "../fields/text.ts";

const vault = openObject({ uri, prefix: text(), token: text(), namespace: text().optional() });

const aws = openObject({
  access_key_id: text(),
  secret_access_key: text(),
  session_token: text().optional(),
  region: text().default("us-east-1"),
  endpoint_url: uri.optional(),
});

const gcp = openObject(
  {
    auth_config: openObject({
      client_email: text(),
      private_key: text(),
      project_id: text(),
      token_uri: text().default("https://oauth2.googleapis.com/token"),
      scope: listOf(text()).default(() => ["https://www.googleapis.com/auth/cloud-platform"]),
      entries_uri: text().default("https://secretmanager.googleapis.com/v1"),
    }).optional(),
    auth_file: text().optional(),
    ssl_verify: z.boolean().default(true),
  },
  oneOfRequired(["auth_config"], ["auth_file"]),
);

const MANAGERS: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ["vault", vault],
  ["aws", aws],
  ["gcp", gcp],
]);

/** Access to a store of secrets; the id is `<manager>/<id>` and the manager decides the schema. APISIX: secret. */
export const secret = defineResource({
  kind: "secret",
  plural: "secrets",
  label: "secret",
  idPattern: /^[^/]+\/[^/]+$/,
  // The id of a secret has a slash, so the usual rules for ids do not hold.
  schema: openObject({ id: text().optional() }),
  naming: { segments: 2, missing: { PATCH: "no secret id" } },
  schemaFor: (id) => MANAGERS.get(managerOf(id)),
  variants: () => [...MANAGERS.keys()],
  methods: ["GET", "PUT", "PATCH", "DELETE"],
  hasTimestamps: true,
  unknownId: (id) => `invalid secret manager: ${managerOf(id)}`,
  references: [],
  secretFields: [],
});

function managerOf(id: string): string {
  return id.split("/", 1)[0] ?? "";
}
