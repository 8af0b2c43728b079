import { once } from "node:events";
import { access, rename } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { removeStaleSocket } from "./stale-socket.ts";

async function listenOn(path: string): Promise<Server> {
  const server = createServer().listen(path);
  await once(server, "listening");
  return server;
}

describe("removeStaleSocket", () => {
  it("removes a socket file that nobody answers on", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "dead.sock");
    const server = await listenOn(join(directory.path, "alive.sock"));
    // Closing a server removes the file it made, unless that has another name by then.
    await rename(join(directory.path, "alive.sock"), path);
    server.close();
    await once(server, "close");

    await removeStaleSocket(path);

    await expect(access(path)).rejects.toThrow(/ENOENT/);
  });

  it("leaves a socket alone that somebody answers on", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "alive.sock");
    const server = await listenOn(path);

    await removeStaleSocket(path);

    await expect(access(path)).resolves.toBeUndefined();
    server.close();
    await once(server, "close");
  });

  it("has nothing to do where there is no file", async () => {
    await using directory = await tempDirectory();
    await expect(removeStaleSocket(join(directory.path, "none.sock"))).resolves.toBeUndefined();
  });
});
