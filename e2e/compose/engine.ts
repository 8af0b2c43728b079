import { spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { print, run, succeeds } from "./shell.ts";

/** What a machine offers to run containers. `stop` ends an engine that was started here, and no other. */
export interface Engine {
  /** `docker compose` or `docker-compose`, as a command. */
  readonly compose: readonly string[];
  stop(): Promise<void>;
}

/** Debian's names of what a container engine needs; debootstrap makes a base image where no registry is reached. */
const DEBIAN_PACKAGES = ["docker.io", "docker-compose", "debootstrap"];

/**
 * Finds a running engine or starts one; with `provide`, root on Debian installs what is missing first.
 * Returns what stands in the way where neither works.
 */
export async function findEngine(provide: boolean): Promise<Engine | string> {
  if (provide && isRoot() && !succeeds(["dockerd", "--version"]) && succeeds(["apt-get", "--version"])) {
    print(`installing ${DEBIAN_PACKAGES.join(", ")}`);
    run(["apt-get", "update"]);
    run(["apt-get", "install", "-y", "--no-install-recommends", ...DEBIAN_PACKAGES]);
  }
  const compose = [["docker", "compose"], ["docker-compose"]].find((command) => succeeds([...command, "version"]));
  if (compose === undefined) return "no compose command: install Docker Compose v2 or docker-compose 1.29";
  if (succeeds(["docker", "info"])) return { compose, stop: async () => undefined };
  if (!isRoot() || !succeeds(["dockerd", "--version"])) {
    return "no container engine answers: start one, or run this as root with --provide-engine on Debian";
  }
  const stop = await startDockerd();
  return stop === undefined ? "dockerd does not start here; run it by hand to see why" : { compose, stop };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function startDockerd(): Promise<(() => Promise<void>) | undefined> {
  print("starting dockerd");
  const child = spawn("dockerd", [], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  const deadline = Date.now() + 60_000;
  while (child.exitCode === null && Date.now() < deadline) {
    if (succeeds(["docker", "info"])) return stop;
    await setTimeout(500);
  }
  await stop();
  return undefined;
}
