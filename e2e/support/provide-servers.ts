import { existsSync, rmSync, writeFileSync } from "node:fs";
import { findEtcd, findRedis } from "@fngate/test-kit";
import { print, runTool } from "./steps.ts";

/** While this file says so, Debian's packages do not start their services when they are installed. */
const POLICY_FILE = "/usr/sbin/policy-rc.d";

/** What the tests need beside Node.js, as the variables that name them. */
export function provideServers(): { readonly FNGATE_ETCD: string; readonly FNGATE_REDIS: string } {
  return { FNGATE_ETCD: provide(findEtcd, "etcd-server"), FNGATE_REDIS: provide(findRedis, "redis-server") };
}

/**
 * A server to test with: the one that its variable names, that of PATH, or else Debian's package, installed when that
 * is possible. Throws with the exact thing to do when there is none.
 */
function provide(find: () => string, debianPackage: string): string {
  try {
    return find();
  } catch (error) {
    if (process.getuid?.() !== 0 || runTool("apt-get", ["--version"], { isQuiet: true }).status !== 0) throw error;
  }
  print(`installing Debian's ${debianPackage}, which was not found`);
  install(debianPackage);
  return find();
}

function install(debianPackage: string): void {
  const isOurPolicy = !existsSync(POLICY_FILE);
  if (isOurPolicy) writeFileSync(POLICY_FILE, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const environment = { DEBIAN_FRONTEND: "noninteractive" };
    runTool("apt-get", ["update"], { environment });
    runTool("apt-get", ["install", "-y", "--no-install-recommends", debianPackage], { environment });
  } finally {
    if (isOurPolicy) rmSync(POLICY_FILE);
  }
}
