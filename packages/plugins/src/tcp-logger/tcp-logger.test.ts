import { describePlugin } from "@fngate/plugin-kit/testing";
import { createCertificates, eventually } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { loggerDefaults } from "../testing/logger-defaults.ts";
import { startTcpServer } from "../testing/text-server.ts";
import { tcpLogger } from "./index.ts";
import { tcpLoggerSchema } from "./schema.ts";

describePlugin(tcpLogger, { folder: import.meta.dirname, config: { host: "127.0.0.1", port: 1 } });

describeSchema(tcpLoggerSchema, {
  defaults: [
    { host: "h", port: 0 },
    { host: "h", port: 0, tls: false, timeout: 1000, ...loggerDefaults("tcp logger") },
  ],
  accepts: [{ host: "h", port: 3000, tls: true, tls_options: "name.test", other: 1 }],
  refuses: [
    [{ port: 3000 }, "host"],
    [{ host: "h" }, "port"],
    [{ host: "h", port: -1 }, "port"],
    [{ host: "h", port: 2000, timeout: "10" }, "timeout"],
  ],
});

const LOCAL = { host: "127.0.0.1", log_format: { n: "$arg_n" } };

describe("tcp-logger", () => {
  it.each([
    [1, ['{"n":"1","route_id":"1"}', '{"n":"2","route_id":"1"}']],
    [2, ['[{"n":"1","route_id":"1"},{"n":"2","route_id":"1"}]']],
  ])("sends %i entries over each connection", async (batch_max_size, texts) => {
    await using server = await startTcpServer();
    await using gateway = await gatewayWith(tcpLogger, { ...LOCAL, port: server.port, batch_max_size });
    await gateway.get("/?n=1");
    await gateway.get("/?n=2");
    await eventually(() => expect(server.texts.toSorted()).toEqual(texts));
  });

  it.each([
    ["name.test", "name.test"],
    [undefined, false],
  ])("speaks TLS and asks for %s", async (tls_options, name) => {
    await using server = await startTcpServer((await createCertificates()).server);
    const config = { ...LOCAL, port: server.port, tls: true, tls_options, batch_max_size: 1 };
    await using gateway = await gatewayWith(tcpLogger, config);
    await gateway.get("/?n=1");
    await eventually(() => expect(server.texts).toEqual(['{"n":"1","route_id":"1"}']));
    expect(server.serverNames).toEqual([name]);
  });

  it("drops what nobody takes, and says why", async () => {
    await using gateway = await gatewayWith(tcpLogger, { ...LOCAL, port: 1, batch_max_size: 1 });
    await gateway.get("/");
    const report = await eventually(() => {
      const line = gateway.lines.find(({ message }) => message === "entries are dropped");
      if (line === undefined) throw new Error("nothing is reported");
      return line;
    });
    expect(report.fields["cause"]).toMatch(/^sending to 127\.0\.0\.1:1 failed: connect ECONNREFUSED/);
  });
});
