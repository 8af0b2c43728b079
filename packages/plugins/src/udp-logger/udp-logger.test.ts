import { describePlugin } from "@fngate/plugin-kit/testing";
import { eventually } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { loggerDefaults } from "../testing/logger-defaults.ts";
import { startUdpServer } from "../testing/text-server.ts";
import { datagramsOf, MAX_ENTRY_BYTES } from "./datagrams.ts";
import { udpLogger } from "./index.ts";
import { udpLoggerSchema } from "./schema.ts";

describePlugin(udpLogger, { folder: import.meta.dirname, config: { host: "127.0.0.1", port: 1 } });

describeSchema(udpLoggerSchema, {
  defaults: [
    { host: "h", port: 0 },
    { host: "h", port: 0, timeout: 3, ...loggerDefaults("udp logger") },
  ],
  accepts: [{ host: "h", port: 3000, batch_max_size: 2, other: 1 }],
  refuses: [
    [{ port: 3000 }, "host"],
    [{ host: "h" }, "port"],
    [{ host: "h", port: 3000, timeout: "10" }, "timeout"],
  ],
});

describe("datagramsOf", () => {
  const config = udpLoggerSchema.parse({ host: "h", port: 1 });

  it("divides a batch into texts that fit", () => {
    const large = JSON.stringify("x".repeat(40_000));
    expect(datagramsOf(["1", large, large, "2"], config)).toEqual([`[1,${large}]`, `[${large},2]`]);
  });

  it("fills a datagram to the last byte, counting bytes and not characters", () => {
    const half = JSON.stringify("ä".repeat(16_375));
    const sizesOf = (texts: readonly string[]) => datagramsOf(texts, config).map((text) => Buffer.byteLength(text));
    expect(sizesOf([half, half])).toEqual([65_507]);
    expect(sizesOf([half, `${half} `])).toEqual([32_754, 32_755]);
    expect(sizesOf(["1".repeat(MAX_ENTRY_BYTES), "2"])).toEqual([65_507, 3]);
  });

  it("sends an entry as it is where each is sent alone", () => {
    expect(datagramsOf(["1"], { ...config, batch_max_size: 1 })).toEqual(["1"]);
  });
});

describe("udp-logger", () => {
  it("sends a batch as a datagram", async () => {
    await using server = await startUdpServer();
    const config = { host: "127.0.0.1", port: server.port, batch_max_size: 2, log_format: { n: "$arg_n" } };
    await using gateway = await gatewayWith(udpLogger, config);
    await gateway.get("/?n=1");
    await gateway.get("/?n=2");
    await eventually(() => expect(server.texts).toEqual(['[{"n":"1","route_id":"1"},{"n":"2","route_id":"1"}]']));
  });

  it("drops what has no address, and says why", async () => {
    await using gateway = await gatewayWith(udpLogger, { host: "127.0.0.1", port: 0, batch_max_size: 1 });
    await gateway.get("/");
    await eventually(() => {
      const line = gateway.lines.find(({ message }) => message === "entries are dropped");
      expect(line?.fields["cause"]).toMatch(/^sending to 127\.0\.0\.1:0 failed/);
    });
  });
});
