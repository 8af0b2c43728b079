import { existsSync, rmSync, writeFileSync } from "node:fs";
import { findEtcd } from "@fngate/test-kit";
import { print, runTool } from "./steps.ts";

/** While this file says so, Debian's packages do not start their services when they are installed. */
const POLICY_FILE = "/usr/sbin/policy-rc.d";

/**
 * The etcd to test with: FNGATE_ETCD, PATH, or else Debian's package, installed when that is possible. Throws with the
 * exact thing to do when there is none.
 */
export function provideEtcd(): string {
  try {
    return findEtcd();
  } catch (error) {
    if (process.getuid?.() !== 0 || runTool("apt-get", ["--version"], { isQuiet: true }).status !== 0) throw error;
  }
  print("no etcd found, installing Debian's etcd-server");
  installEtcd();
  return findEtcd();
}

function installEtcd(): void {
  const isOurPolicy = !existsSync(POLICY_FILE);
  if (isOurPolicy) writeFileSync(POLICY_FILE, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const environment = { DEBIAN_FRONTEND: "noninteractive" };
    runTool("apt-get", ["update"], { environment });
    runTool("apt-get", ["install", "-y", "--no-install-recommends", "etcd-server"], { environment });
  } finally {
    if (isOurPolicy) rmSync(POLICY_FILE);
  }
}
