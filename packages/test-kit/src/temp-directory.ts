import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of one test; disposing removes it with all it holds. */
export interface TempDirectory extends AsyncDisposable {
  readonly path: string;
  /** Absolute path of `name` inside. */
  file(name: string): string;
}

/** Makes an empty directory in the system's temporary one, readable by this user only. */
export async function tempDirectory(): Promise<TempDirectory> {
  const path = await mkdtemp(join(tmpdir(), "fngate-"));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
