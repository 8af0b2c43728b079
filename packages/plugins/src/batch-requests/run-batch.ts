import { type HeaderList, isGatewayError } from "@fngate/kernel";
import type { PluginApi, PluginDeps, Reply, RequestContext, SubAnswer } from "@fngate/plugin-kit";
import { addValue } from "../shared/repeated-values.ts";
import { type Batch, type BatchItem, parseBatch } from "./batch.ts";
import { type BatchRequestsMetadata, batchRequestsMetadataSchema } from "./metadata.ts";
import { compileSubRequest } from "./sub-request.ts";

type Deps = PluginDeps<unknown, BatchRequestsMetadata>;

const JSON_TYPE = ["Content-Type", "application/json"];

const DEFAULTS = batchRequestsMetadataSchema.parse({});

/** The endpoint that takes batches; routes with `public-api` publish it. */
export function batchApi(deps: Deps): PluginApi {
  const { uri } = deps.attributes;
  const path = typeof uri === "string" ? uri : "/apisix/batch-requests";
  return { methods: ["POST"], path, handle: (context) => handle(context, deps) };
}

async function handle(context: RequestContext, deps: Deps): Promise<Reply> {
  const limits = deps.metadata.current ?? DEFAULTS;
  const bytes = await context.request.body.read(limits.max_body_size);
  if (bytes === "too-large") return refuse(413, tooLarge(context.request.body.declaredBytes, limits.max_body_size));
  if (bytes.length === 0) return refuse(400, "no request body, you should give at least one pipeline setting");
  const batch = parseBatch(Buffer.from(bytes).toString("utf8"), deps.values);
  if (typeof batch === "string") return refuse(400, batch);
  const { length } = batch.pipeline;
  if (length > limits.max_pipeline_items) {
    return refuse(400, `too many pipeline requests, ${length} exceeds the maximum of ${limits.max_pipeline_items}`);
  }
  const answers: unknown[] = [];
  // One after the other, as on one connection: a later request may rely on what an earlier one did.
  for (const item of batch.pipeline) answers.push(await answerTo(item, { batch, context, deps }));
  const body = `${JSON.stringify(answers)}\n`;
  return { kind: "reply", status: 200, headers: JSON_TYPE, body };
}

interface Running {
  readonly batch: Batch;
  readonly context: RequestContext;
  readonly deps: Deps;
}

async function answerTo(item: BatchItem, { batch, context, deps }: Running): Promise<unknown> {
  try {
    return renderAnswer(await deps.gateway.dispatch(context, compileSubRequest(item, batch, context)));
  } catch (error) {
    if (!isGatewayError(error, "HTTP_CALL_FAILED")) throw error;
    return { status: 504, reason: "upstream timeout" };
  }
}

function renderAnswer({ body, headers, reason, status }: SubAnswer): unknown {
  const text = Buffer.from(body).toString("utf8");
  return { status, reason, headers: fieldsOf(headers), ...(text === "" ? {} : { body: text }) };
}

/** Fields by name; a repeated one is a list. */
function fieldsOf(raw: HeaderList["raw"]): Record<string, string | string[]> {
  const fields = new Map<string, string | string[]>();
  for (let index = 0; index < raw.length; index += 2) {
    addValue(fields, raw[index] as string, raw[index + 1] as string);
  }
  return Object.fromEntries(fields);
}

function refuse(status: number, text: string): Reply {
  return { kind: "reply", status, headers: JSON_TYPE, body: { error_msg: text } };
}

function tooLarge(declaredBytes: number | undefined, maxBytes: number): string {
  if (declaredBytes === undefined) return `request body is larger than ${maxBytes} bytes`;
  return `request size ${declaredBytes} is greater than the maximum size ${maxBytes} allowed`;
}
