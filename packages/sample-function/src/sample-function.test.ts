import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { silentLogger } from "@fngate/kernel";
import { afterEach, describe, expect, it } from "vitest";
import { greet } from "./hello.ts";
import { startSampleFunction } from "./start-sample-function.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start() {
  const sample = await startSampleFunction({ port: 0, logger: silentLogger });
  cleanups.push(() => sample.stop());
  return sample;
}

describe("greet", () => {
  it.each([
    ["/default/function-sample/test", "Hello, test!"],
    ["/123", "Hello, 123!"],
    ["/a/b/", "Hello, b!"],
    ["/J%C3%BCrgen", "Hello, Jürgen!"],
    ["/100%", "Hello, 100%!"],
    ["/", "Hello, World!"],
  ])("of %s is %s", (path, greeting) => {
    expect(greet(path)).toBe(greeting);
  });
});

describe("startSampleFunction", () => {
  it("answers on loopback through the functions framework", async () => {
    const { host, port } = await start();
    expect(host).toBe("127.0.0.1");
    const response = await fetch(`http://127.0.0.1:${port}/default/function-sample/test`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe("Hello, test!");
  });

  it("names the port when it is taken", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    cleanups.push(() => holder.close());
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    await expect(startSampleFunction({ port, logger: silentLogger })).rejects.toMatchObject({
      code: "LISTEN_FAILED",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  it("no longer listens once it has stopped, and stopping again is harmless", async () => {
    const sample = await start();
    await sample.stop();
    await sample.stop();
    await expect(fetch(`http://127.0.0.1:${sample.port}/`)).rejects.toThrow("fetch failed");
  });
});
