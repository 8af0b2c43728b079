import { describe, expect, it } from "vitest";
import { MODES, startGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";
import { startRecorder } from "../support/recorder.ts";

describe.each(MODES)("a plugin configuration that refers to the environment (%s)", (mode) => {
  it("uses what the gateway's process was started with", async () => {
    await using recorder = await startRecorder();
    const environment = {
      E2E_FUNCTION: `http://127.0.0.1:${recorder.port}/fn`,
      E2E_TOKENS: JSON.stringify({ first: "user:password" }),
    };
    await using gateway = await startGateway(mode, { environment });
    const openfunction = {
      function_uri: "$env://E2E_FUNCTION",
      authorization: { service_token: "$ENV://E2E_TOKENS/first" },
    };
    await gateway.route({ 1: { uri: "/x", plugins: { openfunction } } });
    expect((await exchange(gateway.port, { target: "/x" })).status).toBe(200);
    const token = Buffer.from("user:password").toString("base64");
    expect(recorder.requests[0]?.fields).toContainEqual(["authorization", `Basic ${token}`]);
  });
});
