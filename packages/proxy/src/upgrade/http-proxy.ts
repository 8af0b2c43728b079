import { createRequire } from "node:module";
import util from "node:util";
import type HttpProxy from "http-proxy";

/**
 * The pass of http-proxy 1.18.1 that gives a chunked `DELETE` or `OPTIONS` the length 0 and still sends its body:
 * over a kept connection the upstream takes that body for a second request.
 */
const SMUGGLING_PASS = "deleteLength";

interface WithPasses {
  webPasses: ((...args: unknown[]) => unknown)[];
}

/** An http-proxy without the pass that lets requests be smuggled, and with the error listener it insists on. */
export function createHttpProxy(options: HttpProxy.ServerOptions = {}): HttpProxy {
  const proxy = loadHttpProxy().createProxyServer(options);
  if (!hasPasses(proxy)) throw new Error("http-proxy has no list of passes to take the unsafe one from");
  proxy.webPasses = proxy.webPasses.filter((pass) => pass.name !== SMUGGLING_PASS);
  // Without a listener it throws; callers hand in a callback and learn of errors there.
  proxy.on("error", () => undefined);
  return proxy;
}

function hasPasses(proxy: object): proxy is WithPasses {
  return "webPasses" in proxy && Array.isArray(proxy.webPasses);
}

/**
 * http-proxy takes `util._extend` when it is loaded, and calling that prints DEP0060 once per process. It does what
 * `Object.assign` does, so http-proxy is handed that instead, for as long as it loads.
 */
function loadHttpProxy(): typeof HttpProxy {
  const original: unknown = Reflect.get(util, "_extend");
  Reflect.set(util, "_extend", Object.assign);
  try {
    return createRequire(import.meta.url)("http-proxy");
  } finally {
    Reflect.set(util, "_extend", original);
  }
}
