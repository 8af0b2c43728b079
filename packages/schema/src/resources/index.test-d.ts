import { describe, expectTypeOf, it } from "vitest";
import { type Resource, registry, type StoredResource } from "./index.ts";

describe("types of resources", () => {
  it("have defaults filled in on the data plane's side only", () => {
    expectTypeOf<Resource<"route">["priority"]>().toEqualTypeOf<number>();
    expectTypeOf<StoredResource<"route">["priority"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Resource<"upstream">["pass_host"]>().toEqualTypeOf<"pass" | "node" | "rewrite">();
  });

  it("keep what is required required", () => {
    expectTypeOf<StoredResource<"consumer">["username"]>().toEqualTypeOf<string>();
    expectTypeOf<StoredResource<"global_rule">["plugins"]>().toEqualTypeOf<Record<string, unknown>>();
  });

  it("do not know kinds that do not exist", () => {
    // @ts-expect-error: there is no such kind
    expectTypeOf<Resource<"router">>();
    expectTypeOf(registry.byKind("route").kind).toEqualTypeOf<"route">();
  });
});
