import { createRequire } from "node:module";
import { lazy } from "@fngate/kernel";

const require = createRequire(import.meta.url);

/** The parts of OpenTelemetry that are used. */
export interface OpenTelemetry {
  readonly api: typeof import("@opentelemetry/api");
  readonly core: typeof import("@opentelemetry/core");
  readonly otlp: typeof import("@opentelemetry/otlp-transformer");
  readonly resources: typeof import("@opentelemetry/resources");
  readonly sdk: typeof import("@opentelemetry/sdk-trace");
}

/** Loads them with the first configuration: they are some two hundred modules. */
export const loadOpenTelemetry = lazy(
  (): OpenTelemetry => ({
    api: require("@opentelemetry/api"),
    core: require("@opentelemetry/core"),
    otlp: require("@opentelemetry/otlp-transformer"),
    resources: require("@opentelemetry/resources"),
    sdk: require("@opentelemetry/sdk-trace"),
  }),
);
