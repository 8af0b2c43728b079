import { GatewayError } from "@fngate/kernel";
import type { AdminHandler } from "./admin-request.ts";
import { type DocumentProblem, type DocumentScope, documentProblems } from "./document-validation.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import type { DecodedBody } from "./request-body.ts";

/**
 * `POST /configs/validate`: checks a whole configuration without storing it and lists every problem. Source: APISIX
 * Admin API, configs/validate. `scopeOf` is asked once per document.
 */
export function configsValidation(scopeOf: () => DocumentScope): AdminHandler {
  return async ({ body }) => {
    const errors: DocumentProblem[] = [];
    for await (const problem of documentProblems(parseDocumentBody(body), scopeOf())) errors.push(problem);
    if (errors.length === 0) return { status: 200, body: {} };
    return { status: 400, body: { error_msg: "Configuration validation failed", errors } };
  };
}

/** The document in a body; raises `REQUEST_INVALID` when there is none. */
export function parseDocumentBody(body: DecodedBody): JsonObject {
  if (body === undefined) throw new GatewayError("REQUEST_INVALID", "invalid request body: empty request body");
  if (isJsonObject(body.value)) return body.value;
  throw new GatewayError("REQUEST_INVALID", "invalid request body: expected an object");
}
