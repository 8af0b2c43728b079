import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where packages and hand installations put etcd when it is not on PATH. */
const USUAL_DIRECTORIES = ["/usr/bin", "/usr/local/bin", "/usr/sbin", "/opt/etcd", "/opt/bin", "/opt/homebrew/bin"];

/**
 * Finds the etcd server: the file named by the environment variable `FNGATE_ETCD`, else `etcd` on PATH or in one of
 * the usual directories. Throws with what to install when there is none.
 */
export function findEtcd(): string {
  // biome-ignore lint/style/noProcessEnv: the one place where tests learn which etcd to run
  const { FNGATE_ETCD: named, PATH: path = "" } = process.env;
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`FNGATE_ETCD names "${named}", which does not exist`);
  }
  const directories = [...path.split(delimiter).filter((directory) => directory !== ""), ...USUAL_DIRECTORIES];
  const found = directories.map((directory) => join(directory, "etcd")).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new Error(
    "these tests need an etcd server (3.4 or later) and found none: install it (Debian and Ubuntu: " +
      "`apt-get install etcd-server`; others: a release of etcd-io/etcd) or name its binary in FNGATE_ETCD",
  );
}
