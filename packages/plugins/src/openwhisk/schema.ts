import { z } from "zod";
import { functionFields } from "../shared/function-fields.ts";

const { ssl_verify, keepalive, keepalive_timeout, keepalive_pool } = functionFields;

const MAX_NAME_LENGTH = 256;

/** Names of OpenWhisk's entities, as APISIX writes the rule and as JavaScript does. */
const NAME_PATTERN = String.raw`\A([\w]|[\w][\w@ .-]*[\w@.-]+)\z`;
const NAME = /^(?:\w|\w[\w@ .-]*[\w@.-])$/;

const entityName = () =>
  z
    .string()
    .max(MAX_NAME_LENGTH)
    .superRefine((name, context) => {
      if (name.length > MAX_NAME_LENGTH || NAME.test(name)) return;
      context.addIssue({ code: "custom", message: `failed to match pattern "${NAME_PATTERN}" with "${name}"` });
    })
    .meta({ pattern: NAME.source });

/** Configuration of the plugin on a route, service or rule; properties it does not know are kept (APISIX: openwhisk). */
export const openwhiskSchema = z.looseObject({
  api_host: z
    .string()
    .describe(
      "Address of the OpenWhisk API: `http` or `https`, host, optional port and path. Any text is accepted; one that is no such address makes each call fail with status 503.",
    ),
  service_token: z.string().describe("`user:password`, sent as `Basic` credentials."),
  namespace: entityName().describe("Namespace of the action."),
  package: entityName().optional().describe("Package of the action; absent: the namespace's default package."),
  action: entityName().describe("Name of the action."),
  result: z
    .boolean()
    .default(true)
    .describe("Whether OpenWhisk answers with what the action returned alone, or with the whole activation record."),
  ssl_verify,
  timeout: z
    .int()
    .min(1)
    .max(60_000)
    .default(3000)
    .describe(
      "Milliseconds that OpenWhisk waits for the action, and milliseconds of inactivity after which the call is given up.",
    ),
  keepalive,
  keepalive_timeout,
  keepalive_pool,
  max_req_body_size: z
    .int()
    .min(1)
    .default(67_108_864)
    .describe("Largest request body in bytes; a larger one is answered with status 413."),
});

/** {@link openwhiskSchema} with defaults filled in. */
export type OpenwhiskConfig = z.output<typeof openwhiskSchema>;
