import { silentLogger, systemClock } from "@fngate/kernel";
import { createCatalog } from "@fngate/plugins";
import { eventually, FakeConfigStore, startEchoUpstream } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { createDataPlane } from "./data-plane.ts";

test("a stored route sends requests to its upstream", async () => {
  await using store = new FakeConfigStore();
  await using upstream = await startEchoUpstream();
  await store.put(
    "/apisix/routes/1",
    JSON.stringify({ uri: "/hello", upstream: { nodes: { [`127.0.0.1:${upstream.port}`]: 1 } } }),
  );
  const plane = createDataPlane({
    store,
    prefix: "/apisix",
    catalog: createCatalog(),
    listen: [{ host: "127.0.0.1", port: 0 }],
    routerKind: "radixtree_host_uri",
    serverHeader: "APISIX/3.18.0",
    logger: silentLogger,
    clock: systemClock,
  });
  await plane.start();
  try {
    await eventually(() => expect(plane.isReady).toBe(true));
    const origin = `http://127.0.0.1:${plane.addresses[0]?.port}`;
    const answer = await fetch(`${origin}/hello?x=1`);
    expect(answer.status).toBe(200);
    expect(upstream.requests[0]?.url).toBe("/hello?x=1");
    expect(plane.diagnostics).toEqual([]);
  } finally {
    await plane.stop({ deadlineMs: 1000 });
  }
});
