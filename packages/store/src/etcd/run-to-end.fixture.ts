import { runProcess } from "../run-process.fixture.ts";
import type { EtcdStoreOptions } from "./options.ts";

/**
 * For tests: in a process of its own, uses a store, closes it and does nothing that would end the process by force.
 * Answers what the store's call came to, once the process has ended.
 */
export function runToEnd(options: Pick<EtcdStoreOptions, "hosts" | "timeoutMs" | "user" | "password" | "tls">) {
  return runProcess(`
    const { openEtcdStore } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
    const store = openEtcdStore(${JSON.stringify(options)});
    const watched = Array.fromAsync(store.watch("/", "1", { signal: new AbortController().signal })).catch(() => {});
    const outcome = await store.get("/a").then(() => "answered", (error) => error.code);
    await store.close();
    await watched;
    process.stdout.write(outcome);
  `);
}
