import { EMPTY_PIPELINE } from "@fngate/plugin-kit";
import { expect, test } from "vitest";
import { ConsumerOverlays, type PluginOwner } from "./consumer-overlays.ts";
import type { ObjectPlugin } from "./snapshot.ts";

function plugin(name: string, isDisabled = false): ObjectPlugin {
  return { name, priority: 1, isDisabled, instance: { access: () => undefined, rewrite: () => undefined } };
}

function consumerWith(...plugins: readonly ObjectPlugin[]): PluginOwner {
  return { plugins };
}

function routeWith(...plugins: readonly ObjectPlugin[]) {
  return { plugins, pipeline: EMPTY_PIPELINE };
}

test("what was merged for a caller on a route is kept, for that caller and route alone", () => {
  const overlays = new ConsumerOverlays();
  const [route, other] = [routeWith(), routeWith()];
  const [jack, rose] = [consumerWith(plugin("a")), consumerWith(plugin("a"))];
  const merged = overlays.of(route, jack, undefined);
  expect(overlays.of(route, jack, undefined)).toBe(merged);
  for (const [base, caller] of [
    [other, jack],
    [route, rose],
  ] as const) {
    expect(overlays.of(base, caller, undefined)).not.toBe(merged);
  }
});

test("10,000 merges are kept: one more costs the oldest its place, and no other", () => {
  const overlays = new ConsumerOverlays();
  const route = routeWith();
  const callers = Array.from({ length: 10_001 }, () => consumerWith(plugin("a")));
  const mergeOf = (index: number) => overlays.of(route, callers[index] as PluginOwner, undefined);
  const merged = callers.slice(0, 10_000).map((_, index) => mergeOf(index));
  expect(mergeOf(0)).toBe(merged[0]);
  const last = mergeOf(10_000);
  expect(mergeOf(1)).toBe(merged[1]);
  expect(mergeOf(10_000)).toBe(last);
  expect(mergeOf(0)).not.toBe(merged[0]);
});

test("the consumer's plugin wins over its group's, and that over the route's; a disabled one takes it away", () => {
  const overlays = new ConsumerOverlays();
  const group = { plugins: [plugin("a"), plugin("b", true)] };
  const ofConsumer = plugin("a");
  const overlay = overlays.of(routeWith(plugin("a"), plugin("b"), plugin("c")), consumerWith(ofConsumer), group);
  expect(overlay?.pipeline.access.map((hook) => hook.plugin).toSorted()).toEqual(["a", "c"]);
  expect(overlay?.rewrite).toEqual([]);
});

test("nobody's plugins make no overlay, and those that the route lacks rewrite late", () => {
  const overlays = new ConsumerOverlays();
  expect(overlays.of(routeWith(plugin("a")), consumerWith(), undefined)).toBeUndefined();
  const late = overlays.of(routeWith(plugin("a")), consumerWith(plugin("a"), plugin("late")), undefined);
  expect(late?.rewrite.map((hook) => hook.plugin)).toEqual(["late"]);
});
