import type { RunGateway } from "@fngate/plugin-kit/testing";
import { expectTypeOf, it } from "vitest";
import { runGateway } from "./run-gateway.ts";

it("is what plugin authors are told to get", () => {
  expectTypeOf(runGateway).toExtend<RunGateway>();
});
