import { describePlugin, fakeDeps, fakeRequestContext } from "@fngate/plugin-kit/testing";
import { FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { faultInjection } from "./index.ts";
import { faultInjectionSchema } from "./schema.ts";

describePlugin(faultInjection, { folder: import.meta.dirname, config: { abort: { http_status: 200 } } });

describeSchema(faultInjectionSchema, {
  defaults: [{ abort: { http_status: 200 } }, { abort: { http_status: 200 } }],
  accepts: [
    { abort: { http_status: 999, body: "", headers: { a: "b", c: 1 }, percentage: 0, vars: [[["arg_a", "==", "1"]]] } },
    { delay: { duration: 0.1, percentage: 100, vars: [] } },
  ],
  refuses: [
    [{}, "expect object to have at least 1 properties"],
    [{ abort: {} }, "abort.http_status"],
    [{ abort: { http_status: 199 } }, "abort.http_status"],
    [{ abort: { http_status: 200, percentage: 101 } }, "abort.percentage"],
    [{ abort: { http_status: 200, headers: {} } }, "abort.headers"],
    [{ delay: { duration: -1 } }, "delay.duration"],
    [{ delay: { duration: 1, vars: [[["arg_a", "!!", "1"]]] } }, "invalid operator '!!'"],
  ],
});

describe("fault-injection", () => {
  it("answers in place of the upstream, with variables filled in", async () => {
    const headers = { "X-Path": "$uri", "X-Number": 5 };
    await using gateway = await gatewayWith(faultInjection, {
      abort: { http_status: 500, body: "no $arg_name here\n", headers },
    });
    const answer = await gateway.get("/x?name=jack");
    expect(answer).toMatchObject({ status: 500, body: "no jack here\n", headers: { "x-path": "/x", "x-number": "5" } });
    expect(gateway.upstream.requests).toEqual([]);
  });

  it("affects requests that meet one of the expressions", async () => {
    const vars = [[["arg_a", "==", "1"]], [["arg_b", "==", "1"]]];
    await using gateway = await gatewayWith(faultInjection, { abort: { http_status: 403, vars } });
    const statuses = await Promise.all(
      ["/?a=1", "/?b=1", "/?c=1"].map(async (target) => (await gateway.get(target)).status),
    );
    expect(statuses).toEqual([403, 403, 200]);
  });

  it("affects nobody with an empty list of expressions or 0 percent", async () => {
    for (const never of [{ vars: [] }, { percentage: 0 }]) {
      await using gateway = await gatewayWith(faultInjection, { abort: { http_status: 403, ...never } });
      expect((await gateway.get("/")).status).toBe(200);
    }
  });

  it("affects a share of the requests", () => {
    const rewriteAt = (value: number) => {
      const config = faultInjectionSchema.parse({ abort: { http_status: 403, percentage: 30 } });
      return faultInjection.setup(config, fakeDeps({ random: () => value })).rewrite?.(fakeRequestContext());
    };
    expect([rewriteAt(0), rewriteAt(0.299)]).toMatchObject([{ status: 403 }, { status: 403 }]);
    expect(rewriteAt(0.3)).toBeUndefined();
  });

  it("holds requests up before it answers", async () => {
    const clock = new FakeClock();
    const config = faultInjectionSchema.parse({ delay: { duration: 2 }, abort: { http_status: 503 } });
    const reply = faultInjection.setup(config, fakeDeps({ clock })).rewrite?.(fakeRequestContext());
    let isSettled = false;
    const settled = Promise.resolve(reply).then((value) => {
      isSettled = true;
      return value;
    });
    await clock.advance(1_999);
    expect(isSettled).toBe(false);
    await clock.advance(1);
    expect(await settled).toMatchObject({ status: 503 });
  });

  it("lets a client go that does not wait", async () => {
    const clock = new FakeClock();
    const config = faultInjectionSchema.parse({ delay: { duration: 2 } });
    const leaving = new AbortController();
    const reply = faultInjection
      .setup(config, fakeDeps({ clock }))
      .rewrite?.(fakeRequestContext({ signal: leaving.signal }));
    leaving.abort();
    expect(await reply).toBeUndefined();
  });
});
