import { hostname } from "node:os";
import { sendRequest } from "@fngate/data-plane/testing";
import { describePlugin, fakeDeps, fakeRequestContext, fakeServer } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { serverInfo } from "./index.ts";
import { serverInfoSchema } from "./schema.ts";

describePlugin(serverInfo, { folder: import.meta.dirname, config: {} });

describeSchema(serverInfoSchema, { defaults: [{}, {}], accepts: [{ other: 1 }], refuses: [] });

describe("server-info", () => {
  it("tells on the Control API which gateway this is", async () => {
    const options = { control: { host: "127.0.0.1", port: 0 }, identity: { id: "gateway-a", version: "3.18.0" } };
    await using gateway = await gatewayWith(serverInfo, {}, { options });
    const control = gateway.plane.addresses.find(({ listener }) => listener === "control");
    const { body, headers, status } = await sendRequest(control?.port ?? 0, "/v1/server_info");
    expect([status, headers["content-type"]]).toEqual([200, "application/json"]);
    expect(JSON.parse(body)).toEqual({
      etcd_version: "unknown",
      hostname: hostname(),
      id: "gateway-a",
      version: "3.18.0",
      boot_time: expect.any(Number),
    });
  });

  it("tells the store's version where there is one", async () => {
    const server = fakeServer({ storeVersion: () => Promise.resolve("3.5.16") });
    const [api] = serverInfo.controlApis?.(fakeDeps({ server })) ?? [];
    const reply = await api?.handle(fakeRequestContext());
    expect(reply?.body).toMatchObject({ etcd_version: "3.5.16" });
  });
});
