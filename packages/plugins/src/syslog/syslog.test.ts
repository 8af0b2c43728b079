import { describePlugin, fakeDeps, fakeLogContext, fakeMetrics } from "@fngate/plugin-kit/testing";
import { createCertificates, eventually, FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import type { BatchLoggerMetadata } from "../shared/log/log-fields.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { loggerDefaults } from "../testing/logger-defaults.ts";
import { startTcpServer, startUdpServer } from "../testing/text-server.ts";
import { syslog } from "./index.ts";
import { renderSyslogMessage } from "./message.ts";
import { syslogSchema } from "./schema.ts";

describePlugin(syslog, { folder: import.meta.dirname, config: { host: "127.0.0.1", port: 1 } });

describeSchema(syslogSchema, {
  defaults: [
    { host: "h", port: 514 },
    {
      host: "h",
      port: 514,
      sock_type: "tcp",
      tls: false,
      timeout: 3000,
      flush_limit: 4096,
      drop_limit: 1048576,
      pool_size: 5,
      ...loggerDefaults("sys logger"),
    },
  ],
  accepts: [{ host: "h", port: 3000, sock_type: "udp", tls: true, flush_limit: 1, other: 1 }],
  refuses: [
    [{ port: 3000 }, "host"],
    [{ host: "h" }, "port"],
    [{ host: "h", port: "3000" }, "port"],
    [{ host: "h", port: 1, sock_type: "unix" }, "sock_type"],
    [{ host: "h", port: 1, pool_size: 4 }, "pool_size"],
  ],
});

describe("renderSyslogMessage", () => {
  const message = { atMs: Date.UTC(2030, 0, 2, 3, 4, 5, 6), processId: "7", text: "{}" };

  it("writes a message of RFC 5424", () => {
    expect(renderSyslogMessage({ ...message, host: "a.test" })).toBe(
      "<46>1 2030-01-02T03:04:05.006Z a.test apisix 7 - - {}\n",
    );
  });

  it.each([
    ["", "-"],
    ["a b\n", "a?b?"],
    ["x".repeat(300), "x".repeat(255)],
  ])("cannot be broken by the host %j", (host, written) => {
    expect(renderSyslogMessage({ ...message, host }).split(" ")[2]).toBe(written);
  });
});

const FORMAT = { n: "$arg_n" };

function linePattern(n: number): RegExp {
  return new RegExp(`^<46>1 \\S+Z a\\.test apisix \\d+ - - \\{"n":"${n}","route_id":"1"\\}\n$`);
}

describe("syslog", () => {
  it.each([false, true])("sends the messages of a batch over a connection (TLS: %j)", async (tls) => {
    await using server = await startTcpServer(tls ? (await createCertificates()).server : undefined);
    const config = { host: "127.0.0.1", port: server.port, tls, batch_max_size: 2, log_format: FORMAT };
    await using gateway = await gatewayWith(syslog, config);
    await gateway.get("/?n=1", { host: "a.test" });
    await gateway.get("/?n=2", { host: "a.test" });
    await eventually(() => expect(server.texts).toHaveLength(1));
    const lines = server.texts.flatMap((text) => text.split(/(?<=\n)/));
    expect(lines).toEqual([expect.stringMatching(linePattern(1)), expect.stringMatching(linePattern(2))]);
  });

  it("counts entries that fit into no datagram, and sends those between them", async () => {
    await using server = await startUdpServer();
    const metrics = fakeMetrics();
    const config = { host: "127.0.0.1", port: server.port, sock_type: "udp", batch_max_size: 1 };
    const plugin = syslog.setup(
      syslogSchema.parse({ ...config, log_format: FORMAT }),
      fakeDeps<unknown, BatchLoggerMetadata>({ metrics, clock: new FakeClock() }),
    );
    for (const n of ["x".repeat(66_000), "2"]) plugin.log?.(fakeLogContext({ variables: { arg_n: n } }));
    await eventually(() => expect(server.texts).toEqual([expect.stringContaining('"n":"2"')]));
    const labels = { plugin: "syslog", reason: "oversize" };
    expect(metrics.valueOf("fngate_dropped_entries_total", labels)).toBe(1);
    plugin.dispose?.();
  });

  it("sends each message as a datagram", async () => {
    await using server = await startUdpServer();
    const config = { host: "127.0.0.1", port: server.port, sock_type: "udp", batch_max_size: 2, log_format: FORMAT };
    await using gateway = await gatewayWith(syslog, config);
    await gateway.get("/?n=1", { host: "a.test" });
    await gateway.get("/?n=2", { host: "a.test" });
    await eventually(() => expect(server.texts).toHaveLength(2));
    expect(server.texts).toEqual([expect.stringMatching(linePattern(1)), expect.stringMatching(linePattern(2))]);
  });
});
