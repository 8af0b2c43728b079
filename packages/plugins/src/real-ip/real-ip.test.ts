import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { realIp } from "./index.ts";
import { parseClient } from "./parse-client.ts";
import { realIpSchema } from "./schema.ts";

describePlugin(realIp, { folder: import.meta.dirname, config: { source: "http_xff" } });

describeSchema(realIpSchema, {
  defaults: [{ source: "arg_ip" }, { source: "arg_ip", recursive: false }],
  accepts: [{ source: "http_x_forwarded_for", trusted_addresses: ["127.0.0.0/24", "::1"], recursive: true }],
  refuses: [
    [{}, "source"],
    [{ source: "" }, "source"],
    [{ source: "a", trusted_addresses: [] }, "trusted_addresses"],
    [{ source: "a", trusted_addresses: ["any"] }, "trusted_addresses.0"],
    [{ source: "a", trusted_addresses: ["::1/129"] }, "invalid ip address: ::1/129"],
  ],
});

describe("parseClient", () => {
  it.each([
    ["1.2.3.4", { address: "1.2.3.4", port: undefined }],
    ["1.2.3.4:9080", { address: "1.2.3.4", port: "9080" }],
    ["::1", { address: "::1", port: undefined }],
    ["[::1]", { address: "::1", port: undefined }],
    ["[::1]:9080", { address: "::1", port: "9080" }],
    ["1.2.3.4:0", undefined],
    ["1.2.3.4:65536", undefined],
    ["1.2.3.4:", undefined],
    ["1.2.3", undefined],
    ["[1.2.3.4]:80", undefined],
    ["host:80", undefined],
    ["", undefined],
  ])("reads %j as %j", (text, client) => expect(parseClient(text)).toEqual(client));
});

describe("real-ip", () => {
  it.each([
    [{ source: "arg_realip" }, "/?realip=1.2.3.4:9080", {}, "1.2.3.4"],
    [{ source: "arg_realip" }, "/?realip=any", {}, "127.0.0.1"],
    [{ source: "arg_realip" }, "/", {}, "127.0.0.1"],
    [{ source: "http_xff" }, "/", { xff: "::2" }, "::2"],
    [{ source: "arg_realip", trusted_addresses: ["192.128.0.0/16"] }, "/?realip=1.2.3.4", {}, "127.0.0.1"],
    [{ source: "arg_realip", trusted_addresses: ["127.0.0.0/24"] }, "/?realip=1.2.3.4", {}, "1.2.3.4"],
    [{ source: "http_x_forwarded_for" }, "/", { "x-forwarded-for": "1.1.1.1, 2.2.2.2" }, "2.2.2.2"],
    [
      { source: "http_x_forwarded_for", recursive: true, trusted_addresses: ["127.0.0.1", "2.2.2.2"] },
      "/",
      { "x-forwarded-for": "1.1.1.1, 3.3.3.3,2.2.2.2" },
      "3.3.3.3",
    ],
    [
      { source: "http_x_forwarded_for", recursive: true, trusted_addresses: ["0.0.0.0/0"] },
      "/",
      { "x-forwarded-for": "1.1.1.1, 2.2.2.2" },
      "1.1.1.1",
    ],
  ])("with %j tells the upstream for %s %j: %s", async (...[config, target, headers, address]) => {
    await using gateway = await gatewayWith(realIp, config);
    await gateway.get(target, { ...headers });
    const [request] = gateway.upstream.requests;
    expect(request?.headers["x-real-ip"]).toBe(address);
  });
});
