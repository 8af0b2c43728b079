import { createRequire } from "node:module";
import { lazy } from "@fngate/kernel";

const require = createRequire(import.meta.url);

/** Loaded with the first request that needs it. */
export const openidClient = lazy((): typeof import("openid-client") => require("openid-client"));
