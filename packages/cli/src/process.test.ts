import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { tempDirectory } from "@fngate/test-kit";
import { afterEach, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../bin/fngate.js");
const ANY_PORT = ["--admin-listen=0", "--metrics-listen=0", "--no-sample-function"];
/** Listeners without a flag. */
const ANY_OTHER_PORT = { FNGATE_CONTROL_LISTEN: "127.0.0.1:0", FNGATE_TLS_LISTEN: "127.0.0.1:0" };
const running: ChildProcess[] = [];

interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly log: () => string;
  /** Resolves with the first log line of an event; rejects when the process ends without one. */
  readonly event: (name: string) => Promise<Readonly<Record<string, unknown>>>;
}

function start(...args: readonly string[]): Started {
  const child = spawn(process.execPath, ["--conditions=@fngate/source", MAIN, "start", ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    // biome-ignore lint/style/noProcessEnv: the process needs the environment it would have on the command line
    env: { ...process.env, ...ANY_OTHER_PORT },
  });
  running.push(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const exited = once(child, "close").then(([code]) => code as number | null);
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    for (const check of waiting) check();
  });
  const event = (name: string) =>
    new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
      const check = () => {
        const line = lines.find((text) => text.includes(`"event":"${name}"`));
        if (line !== undefined) resolve(JSON.parse(line));
      };
      waiting.add(check);
      check();
      void exited.then(() => reject(new Error(`ended without ${name}:\n${lines.join("\n")}`)));
    });
  return { child, exited, log: () => lines.join("\n"), event };
}

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }
});

describe("fngate start", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("gets ready, then ends by itself with exit code 0 on %s", async (signal) => {
    await using directory = await tempDirectory();
    const gateway = start("--data-dir", directory.path, "--proxy-listen=0", ...ANY_PORT);
    await gateway.event("ready");
    const { port, listener } = await gateway.event("listening");
    expect(listener).toBe("admin");
    expect(port).toBeGreaterThan(0);

    gateway.child.kill(signal);

    expect(await gateway.exited).toBe(0);
    expect(gateway.log()).toContain('"event":"stopped"');
    expect(gateway.log()).not.toContain("Warning");
  });

  it("says in one line which port is taken, and how to choose another, and ends with exit code 1", async () => {
    await using directory = await tempDirectory();
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    try {
      const address = holder.address();
      const port = typeof address === "object" ? address?.port : undefined;
      const gateway = start("--data-dir", directory.path, `--proxy-listen=${port}`, ...ANY_PORT);

      expect(await gateway.exited).toBe(1);
      const said = gateway
        .log()
        .split("\n")
        .filter((line) => line.startsWith("fngate: "));
      expect(said).toEqual([
        `fngate: port ${port} on 127.0.0.1 (apisix.node_listen) is already in use; stop what holds it, or choose another with --proxy-listen or FNGATE_PROXY_LISTEN`,
      ]);
    } finally {
      holder.close();
    }
  });

  it("goes on without the sample function when its port is taken, and says which port and what to do", async () => {
    await using directory = await tempDirectory();
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    try {
      const address = holder.address();
      const port = typeof address === "object" ? address?.port : undefined;
      const ports = ["--proxy-listen=0", "--admin-listen=0", "--metrics-listen=0"];
      const gateway = start("--data-dir", directory.path, ...ports, `--sample-function-port=${port}`);

      expect((await gateway.event("sample-function"))["msg"]).toMatch(
        new RegExp(`^no sample function: port ${port} on 127\\.0\\.0\\.1 .*already in use.*--sample-function-port`),
      );
      await gateway.event("ready");
    } finally {
      holder.close();
    }
  });

  it("refuses to find itself a key beyond loopback, where one has to be chosen", async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, "config.yaml");
    await writeFile(file, "deployment: { role_traditional: { config_provider: embedded } }\n");
    const flags = ["--config", file, "--data-dir", directory.path, "--proxy-listen=0", "--admin-listen=0.0.0.0:0"];
    const gateway = start(...flags);

    expect(await gateway.exited).toBe(1);
    expect(gateway.log()).toMatch(/^fngate: .*the admin key "admin" is empty; .*FNGATE_ADMIN_KEY/m);
  });

  it("refuses the published admin key beyond loopback and says what to set", async () => {
    await using directory = await tempDirectory();
    const gateway = start("--data-dir", directory.path, "--proxy-listen=0", ...ANY_PORT, "--admin-listen=0.0.0.0:0");

    expect(await gateway.exited).toBe(1);
    expect(gateway.log()).toMatch(/^fngate: .*FNGATE_ADMIN_KEY.*deployment\.admin\.admin_key/m);
  });
});
