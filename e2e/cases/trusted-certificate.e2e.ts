import { writeFile } from "node:fs/promises";
import { createCertificates, tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { spawnFngate } from "../support/fngate-process.ts";
import { MODES, startGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";
import { startRecorder } from "../support/recorder.ts";

describe.each(MODES)("a function whose certificate is of a private authority (%s)", (mode) => {
  it.each([
    { trusted: "the authority's file", status: 200 },
    { trusted: "system", status: 503 },
  ])("answers $status when ssl_trusted_certificate is $trusted", async ({ trusted, status }) => {
    await using directory = await tempDirectory();
    const certificates = await createCertificates();
    const file = directory.file("ca.pem");
    await writeFile(file, certificates.ca);
    await using recorder = await startRecorder(certificates.server);
    const path = trusted === "system" ? "system" : file;
    await using gateway = await startGateway(mode, { apisix: { ssl: { ssl_trusted_certificate: path } } });
    const function_uri = `https://127.0.0.1:${recorder.port}/`;
    await gateway.route({ 1: { uri: "/private", plugins: { openfunction: { function_uri } } } });
    expect((await exchange(gateway.port, { target: "/private" })).status).toBe(status);
    expect(recorder.requests).toHaveLength(status === 200 ? 1 : 0);
  });
});

it("a trusted certificate that is not there keeps the gateway from starting, naming path and key", async () => {
  await using running = await spawnFngate({
    deployment: { role: "traditional", role_traditional: { config_provider: "embedded" } },
    apisix: { ssl: { ssl_trusted_certificate: "/nowhere/ca.pem" } },
  });
  expect(await running.exited).toMatchObject({ code: 1 });
  expect(running.transcript).toMatch(/\/nowhere\/ca\.pem.*apisix\.ssl\.ssl_trusted_certificate/s);
});
