import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { clientControl } from "./index.ts";
import { clientControlSchema } from "./schema.ts";

describePlugin(clientControl, { folder: import.meta.dirname, config: { max_body_size: 10 } });

describeSchema(clientControlSchema, {
  defaults: [{}, {}],
  accepts: [{ max_body_size: 0 }, { max_body_size: 5, other: 1 }],
  refuses: [
    [{ max_body_size: -1 }, "max_body_size"],
    [{ max_body_size: "5" }, "max_body_size"],
  ],
});

describe("client-control", () => {
  it.each([
    [5, "12345", 200],
    [5, "123456", 413],
    [0, "123456", 200],
  ])("with a limit of %i answers a body %s with %i, however it is framed", async (max_body_size, body, status) => {
    await using gateway = await gatewayWith(clientControl, { max_body_size });
    const declared = await gateway.send("/", {
      method: "POST",
      body,
      headers: { "content-length": String(body.length) },
    });
    const chunked = await gateway.send("/", { method: "POST", body, headers: { "transfer-encoding": "chunked" } });
    expect([declared.status, chunked.status]).toEqual([status, status]);
    const expected = status === 200 ? [body, body] : [];
    expect(gateway.upstream.requests.map((request) => request.body.toString())).toEqual(expected);
  });
});
