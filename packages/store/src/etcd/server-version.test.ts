import { startEtcd } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { openEtcdStore } from "./etcd-store.ts";

it("tells the version of the etcd that answers", async () => {
  await using etcd = await startEtcd();
  const store = openEtcdStore({ hosts: [etcd.url], timeoutMs: 5_000 });
  try {
    expect(await store.serverVersion?.()).toMatch(/^3\.\d+\.\d+/);
  } finally {
    await store.close();
  }
});
