import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { EtcdStoreOptions } from "./options.ts";

/** What the process does: a call and a watch, then close, and nothing that would end it by force. */
const PROGRAM = `
  const [options] = JSON.parse(process.argv[1]);
  const { openEtcdStore } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
  const store = openEtcdStore(options);
  const abort = new AbortController();
  const watched = Array.fromAsync(store.watch("/", "1", { signal: abort.signal })).catch(() => {});
  const outcome = await store.get("/a").then(() => "answered", (error) => error.code);
  await store.close();
  await watched;
  process.stdout.write(outcome);
`;

/** How long the process may take before it counts as hanging, in milliseconds. */
const PATIENCE_MS = 15_000;

/** For tests: uses and closes a store in a process of its own, and answers what its call came to once that has ended. */
export async function runToEnd(options: Pick<EtcdStoreOptions, "hosts" | "timeoutMs" | "user" | "password" | "tls">) {
  const flags = ["--conditions=@fngate/source", "--input-type=module", "--eval", PROGRAM];
  const ended = await promisify(execFile)(process.execPath, [...flags, JSON.stringify([options])], {
    timeout: PATIENCE_MS,
  });
  return ended.stdout;
}
