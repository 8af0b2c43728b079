import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where packages and hand installations put Redis when it is not on PATH. */
const USUAL_DIRECTORIES = ["/usr/bin", "/usr/local/bin", "/usr/sbin", "/opt/redis/bin", "/opt/homebrew/bin"];

/**
 * Finds the Redis server: the file named by the environment variable `FNGATE_REDIS`, else `redis-server` on PATH or in
 * one of the usual directories. Throws with what to install when there is none.
 */
export function findRedis(): string {
  // biome-ignore lint/style/noProcessEnv: the one place where tests learn which Redis to run
  const { FNGATE_REDIS: named, PATH: path = "" } = process.env;
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`FNGATE_REDIS names "${named}", which does not exist`);
  }
  const directories = [...path.split(delimiter).filter((directory) => directory !== ""), ...USUAL_DIRECTORIES];
  const found = directories.map((directory) => join(directory, "redis-server")).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new Error(
    "these tests need a Redis server (6 or later) and found none: install it (Debian and Ubuntu: " +
      "`apt-get install redis-server`) or name its binary in FNGATE_REDIS",
  );
}
