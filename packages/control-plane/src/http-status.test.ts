import { GatewayError } from "@fngate/kernel";
import { expect, it } from "vitest";
import { isExpected, replyOfError } from "./http-status.ts";

it.each<[GatewayError, object]>([
  [
    new GatewayError("ADMIN_UNAUTHORIZED", "failed to check token", { details: { description: "missing apikey" } }),
    { status: 401, body: { error_msg: "failed to check token", description: "missing apikey" } },
  ],
  [
    new GatewayError("REQUEST_INVALID", "invalid request body: x", { details: { req_body: "{" } }),
    { status: 400, body: { error_msg: "invalid request body: x", req_body: "{" } },
  ],
  [
    new GatewayError("REQUEST_INVALID", "page_size must be between 10 and 500", { details: { isPlainText: true } }),
    { status: 400, body: "page_size must be between 10 and 500" },
  ],
  [new GatewayError("RESOURCE_INVALID", "bad"), { status: 400, body: { error_msg: "bad" } }],
  [new GatewayError("RESOURCE_CHANGED", "changed"), { status: 412, body: { error_msg: "changed" } }],
  [new GatewayError("RESOURCE_IN_USE", "used"), { status: 400, body: { error_msg: "used" } }],
  [new GatewayError("RESOURCE_NOT_FOUND", "Key not found"), { status: 404, body: { message: "Key not found" } }],
  [new GatewayError("RESOURCE_KIND_UNKNOWN", "unknown"), { status: 404, body: { error_msg: "unknown" } }],
  [new GatewayError("RESOURCE_METHOD_UNSUPPORTED", "no"), { status: 405, body: { error_msg: "no" } }],
  [new GatewayError("STORE_UNAVAILABLE", "gone"), { status: 503, body: { error_msg: "gone" } }],
  [new GatewayError("STORE_CONFLICT", "raced"), { status: 503, body: { error_msg: "raced" } }],
])("%s has its status and body", (error, reply) => {
  expect(replyOfError(error)).toEqual(reply);
  expect(isExpected(error)).toBe(true);
});

it.each([new TypeError("secret detail"), new GatewayError("PLUGIN_FAILED", "secret detail"), "secret detail"])(
  "%s is a bare 500 that tells nothing",
  (error) => {
    expect(replyOfError(error)).toEqual({ status: 500, body: { error_msg: "internal server error" } });
    expect(isExpected(error)).toBe(false);
  },
);
