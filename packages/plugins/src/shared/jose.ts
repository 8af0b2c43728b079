import { createRequire } from "node:module";
import { lazy } from "@fngate/kernel";

const require = createRequire(import.meta.url);

/** Loaded with the first request that needs it. */
export const jose = lazy((): typeof import("jose") => require("jose"));
