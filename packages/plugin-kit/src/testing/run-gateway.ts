import { hasCode } from "@fngate/kernel";
import type { RunGateway, TestGateway, TestGatewaySetup } from "./test-gateway.ts";

/** Above this package, so it is known by its name only (docs/decision-test-gateway.md). */
const GATEWAY = "@fngate/data-plane/testing";

/**
 * Starts a gateway in this process: a real data plane on a port of its own, with the given plugins and objects, and an
 * upstream that remembers what reached it. Rejects when the gateway finds fault with an object, or is not there.
 */
export async function runGateway(setup: TestGatewaySetup = {}): Promise<TestGateway> {
  const run = await findGateway(GATEWAY);
  return await run(setup);
}

/** What a module exports as `runGateway`; it need not be installed where only the rest of the kit is used. */
export async function findGateway(module: string): Promise<RunGateway> {
  try {
    const found: { readonly runGateway: RunGateway } = await import(/* @vite-ignore */ module);
    return found.runGateway;
  } catch (cause) {
    const isMissing = hasCode(cause, "ERR_MODULE_NOT_FOUND") || hasCode(cause, "ERR_PACKAGE_PATH_NOT_EXPORTED");
    if (!isMissing) throw cause;
    const hint = "run the test where fngate's sources are, as `npm test` in a folder of `fngate plugin new` does";
    throw new Error(`there is no ${module} to run a gateway with: ${hint}`, { cause });
  }
}
