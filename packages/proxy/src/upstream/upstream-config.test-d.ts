import type { Resource } from "@fngate/schema";
import { expectTypeOf, test } from "vitest";
import type { UpstreamConfig } from "./upstream-config.ts";

test("a validated upstream resource can be compiled", () => {
  expectTypeOf<Resource<"upstream">>().toExtend<UpstreamConfig>();
});
