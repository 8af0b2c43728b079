import type { Sampler } from "@opentelemetry/sdk-trace";
import type { SamplerConfig } from "./schema.ts";
import type { OpenTelemetry } from "./sdk.ts";

/** Makes the sampler of a configuration. */
export function compileSampler({ name, options }: SamplerConfig, { sdk }: OpenTelemetry): Sampler {
  if (name !== "parent_base") return simpleSampler(name, options.fraction, sdk);
  const { root } = options;
  return new sdk.ParentBasedSampler({ root: simpleSampler(root.name, root.options.fraction, sdk) });
}

function simpleSampler(
  name: "always_on" | "always_off" | "trace_id_ratio",
  fraction: number,
  sdk: OpenTelemetry["sdk"],
): Sampler {
  switch (name) {
    case "always_on":
      return new sdk.AlwaysOnSampler();
    case "always_off":
      return new sdk.AlwaysOffSampler();
    case "trace_id_ratio":
      return new sdk.TraceIdRatioBasedSampler(fraction);
  }
}
