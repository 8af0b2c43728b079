import type { Transform } from "node:stream";
import { type PluginInstance, type ResponseContext, wholeBody } from "@fngate/plugin-kit";
import { compileExpression } from "@fngate/router/expr";
import { dropBodyFields } from "../shared/body-fields.ts";
import { type BodyChange, compileFilters } from "./body-filters.ts";
import { type Decoder, decoderOf } from "./content-coding.ts";
import { compileHeaders } from "./headers.ts";
import { ReplaceBody } from "./replace-body.ts";
import type { ResponseRewriteConfig } from "./schema.ts";

/** Makes what a body passes; nothing when this answer's body stays. */
type BodyPlan = (coding: string | undefined) => (() => Transform) | undefined;

/** Changes status, fields and body of every answer that meets the condition. */
export function rewriteAnswers(config: ResponseRewriteConfig): PluginInstance {
  const condition = config.vars && compileExpression(config.vars);
  const changeHeaders = compileHeaders(config.headers);
  const planBody = compileBody(config);
  // Decided before the head leaves, and so before the fields that tell of the body are gone.
  const plans = new WeakMap<ResponseContext, () => Transform>();
  const headerFilter = (context: ResponseContext): undefined => {
    const { response } = context;
    if (condition?.evaluate(context.variables) === false) return;
    if (config.status_code !== undefined) response.status = config.status_code;
    const plan = planBody?.(response.headers.get("content-encoding"));
    if (plan !== undefined) {
      dropBodyFields(response.headers);
      plans.set(context, plan);
    }
    changeHeaders(context);
  };
  if (planBody === undefined) return { headerFilter };
  return { headerFilter, bodyFilter: (context) => plans.get(context)?.() };
}

function compileBody(config: ResponseRewriteConfig): BodyPlan | undefined {
  const { body, body_base64: isBase64, filters, max_resp_body_size: maxBytes } = config;
  if (filters !== undefined) return compileFiltering(compileFilters(filters), maxBytes);
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, isBase64 ? "base64" : "utf8");
  return () => () => new ReplaceBody(bytes);
}

function compileFiltering(change: BodyChange, maxBytes: number): BodyPlan {
  return (coding = "identity") => {
    if (coding === "identity") return () => wholeBody({ maxBytes, beyond: "truncate", change });
    const decode = decoderOf(coding);
    return decode && (() => wholeBody({ maxBytes, beyond: "truncate", change: decoded(decode, change, maxBytes) }));
  };
}

/** What is no body of its coding goes out as it came; one that is too large when decoded breaks the answer off. */
function decoded(decode: Decoder, change: BodyChange, maxBytes: number): (body: Buffer) => Promise<Buffer> {
  return async (body) => {
    let plain: Buffer;
    try {
      plain = await decode(body, maxBytes);
    } catch (error) {
      if (Reflect.get(Object(error), "code") === "ERR_BUFFER_TOO_LARGE") throw error;
      return body;
    }
    return change(plain);
  };
}
