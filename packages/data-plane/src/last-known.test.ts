import { join } from "node:path";
import { eventually, FakeConfigStore, startEchoUpstream, tempDirectory } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { startPlane } from "./testing/running-plane.ts";

const nodes = (port: number) => ({ nodes: { [`127.0.0.1:${port}`]: 1 } });

test("a data plane started without its store serves what it served last, then follows the store again", async () => {
  await using directory = await tempDirectory();
  await using upstream = await startEchoUpstream();
  const lastKnownFile = join(directory.path, "last-known");
  const first = await startPlane({ lastKnownFile });
  await first.put("routes/1", { uri: "/kept", upstream: nodes(upstream.port) });
  await first.stop();

  await using store = new FakeConfigStore();
  store.disconnect();
  await using second = await startPlane({ store, lastKnownFile });
  expect(second.plane.isReady).toBe(true);
  expect((await second.send("/kept")).status).toBe(200);
  store.reconnect();
  await store.put("/apisix/routes/2", JSON.stringify({ uri: "/new", upstream: nodes(upstream.port) }));
  await eventually(async () => expect((await second.send("/new")).status).toBe(200));
  expect((await second.send("/kept")).status).toBe(404);
});
