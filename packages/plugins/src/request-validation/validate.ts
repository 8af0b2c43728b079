import type { PluginDeps, PluginInstance, Reply, RequestContext } from "@fngate/plugin-kit";
import { decodeBody, fieldsOf } from "./decode.ts";
import { compileJsonSchema, type JsonCheck } from "./json-schema.ts";
import type { RequestValidationConfig } from "./schema.ts";

/** Refuses requests whose fields or body are not what the schemas say. */
export function validateRequests(config: RequestValidationConfig, { logger }: PluginDeps): PluginInstance {
  const checkFields = config.header_schema && compileJsonSchema(config.header_schema);
  const checkBody = config.body_schema && compileJsonSchema(config.body_schema);
  const { max_req_body_size: maxBytes, rejected_code: status, rejected_msg: message } = config;
  const refuse = (problem: string | undefined): Reply => {
    logger.info({ problem }, "request refused");
    const body = message ?? problem;
    return body === undefined ? { kind: "reply", status } : { kind: "reply", status, body };
  };
  return {
    rewrite(context) {
      const problem = checkFields?.(fieldsOf(context));
      if (problem !== undefined) return refuse(problem);
      if (checkBody === undefined) return undefined;
      return validateBody(context, checkBody, maxBytes).then((found) =>
        found === undefined ? undefined : refuse(found.problem),
      );
    },
  };
}

/** A reason to refuse a body, which the client may not be told. */
interface BodyFinding {
  readonly problem: string | undefined;
}

const UNTOLD: BodyFinding = { problem: undefined };

async function validateBody(
  { request }: RequestContext,
  check: JsonCheck,
  maxBytes: number,
): Promise<BodyFinding | undefined> {
  const bytes = await request.body.read(maxBytes);
  if (bytes === "too-large" || bytes.length === 0) return UNTOLD;
  const types = request.headers.getAll("content-type");
  // Two types are two readings of one body: the upstream could see another one than was checked.
  if (types.length > 1) return UNTOLD;
  const decoded = decodeBody(bytes, types[0]);
  if (decoded.kind === "unreadable") return { problem: decoded.reason };
  const problem = check(decoded.value);
  if (problem !== undefined) return { problem };
  // What was checked is what is sent: parsers differ in what they make of repeated names.
  if (decoded.kind === "json") request.body.replace(Buffer.from(JSON.stringify(decoded.value)));
  return undefined;
}
