import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { keyAuth } from "../key-auth/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { attachConsumerLabel } from "./index.ts";
import { attachConsumerLabelSchema } from "./schema.ts";

const config = { headers: { "X-Department": "$department", "X-Absent": "$absent", Host: "$host" } };

describePlugin(attachConsumerLabel, { folder: import.meta.dirname, config });

describeSchema(attachConsumerLabelSchema, {
  defaults: [config, config],
  accepts: [{ headers: { a: "$" }, other: 1 }],
  refuses: [
    [{}, "headers"],
    [{ headers: {} }, "headers"],
    [{ headers: { a: "department" } }, "headers.a"],
    [{ headers: { a: 1 } }, "headers.a"],
  ],
});

describe("attach-consumer-label", () => {
  const startWith = (plugins: object) =>
    runGateway({
      plugins: [keyAuth, attachConsumerLabel],
      routes: { 1: { uri: "/*", plugins: { "attach-consumer-label": config, ...plugins } } },
      consumers: {
        jack: { labels: { department: "sales", company: "a" }, plugins: { "key-auth": { key: "jack" } } },
        rose: { plugins: { "key-auth": { key: "rose" } } },
      },
    });
  const forged = { "x-department": "board", "x-absent": "1" };

  it("tells the upstream the caller's labels", async () => {
    await using gateway = await startWith({ "key-auth": {} });
    expect((await gateway.get("/", { apikey: "jack", ...forged })).status).toBe(200);
    const { headers } = await gateway.upstream.request();
    expect(headers["x-department"]).toBe("sales");
    expect(headers).not.toHaveProperty("x-absent");
  });

  it.each([
    { who: "a caller without labels", plugins: { "key-auth": {} } },
    { who: "nobody", plugins: {} },
  ])("passes nothing on that the client said for $who", async ({ plugins }) => {
    await using gateway = await startWith(plugins);
    expect((await gateway.get("/", { apikey: "rose", ...forged })).status).toBe(200);
    const { headers } = await gateway.upstream.request();
    for (const name of ["x-department", "x-absent"]) expect(headers).not.toHaveProperty(name);
  });
});
