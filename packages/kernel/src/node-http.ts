import { createRequire } from "node:module";

/**
 * `node:http` for its values; types are imported as ever. An `import` of the values reads everything that the module
 * exports, and one export loads a client for WebSockets: 90 ms of CPU time that every start would pay for nothing.
 */
export const http: typeof import("node:http") = createRequire(import.meta.url)("node:http");
