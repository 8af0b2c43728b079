import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fail, print, run, succeeds } from "./shell.ts";

/** What a machine offers to run containers. `stop` ends an engine that was started here, and no other. */
export interface Engine {
  /** `docker compose` or `docker-compose`, as a command. */
  readonly compose: readonly string[];
  stop(): Promise<void>;
}

/** Debian's names of what a container engine needs; debootstrap makes a base image where no registry is reached. */
const DEBIAN_PACKAGES = ["docker.io", "docker-compose", "debootstrap"];

/**
 * Finds a running engine or starts one. With `provide` the Debian packages are installed first where they are missing.
 * Fails with what to do where neither works.
 */
export async function findEngine(provide: boolean): Promise<Engine> {
  if (
    provide &&
    process.getuid?.() === 0 &&
    !succeeds(["dockerd", "--version"]) &&
    succeeds(["apt-get", "--version"])
  ) {
    print(`installing ${DEBIAN_PACKAGES.join(", ")}`);
    run(["apt-get", "update"]);
    run(["apt-get", "install", "-y", "--no-install-recommends", ...DEBIAN_PACKAGES]);
  }
  const stop = succeeds(["docker", "info"]) ? async () => undefined : await startDockerd();
  if (succeeds(["docker", "compose", "version"])) return { compose: ["docker", "compose"], stop };
  if (succeeds(["docker-compose", "version"])) return { compose: ["docker-compose"], stop };
  await stop();
  return fail("no compose command: install Docker Compose v2 or docker-compose 1.29");
}

async function startDockerd(): Promise<() => Promise<void>> {
  if (process.getuid?.() !== 0 || !existsSync("/usr/sbin/dockerd")) {
    return fail("no container engine answers: start one, or run this as root with --provide-engine on Debian");
  }
  print("starting dockerd");
  const child = spawn("/usr/sbin/dockerd", [], { stdio: "ignore" });
  const deadline = Date.now() + 60_000;
  while (!succeeds(["docker", "info"])) {
    if (child.exitCode !== null || Date.now() > deadline)
      return fail("dockerd does not start; run it by hand to see why");
    execFileSync("sleep", ["0.5"]);
  }
  return async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  };
}
