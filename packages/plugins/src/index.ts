export { builtinPlugins } from "./catalog.ts";
export { createCatalog } from "./plugin-catalog.ts";
