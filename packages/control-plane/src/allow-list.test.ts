import { expect, it } from "vitest";
import { createAllowList } from "./allow-list.ts";

it.each([
  [["127.0.0.0/24"], "127.0.0.1", true],
  [["127.0.0.0/24"], "127.0.1.1", false],
  [["127.0.0.0/24"], "::1", false],
  [["127.0.0.0/24"], "::ffff:127.0.0.1", true],
  [["::1"], "::1", true],
  [["fe80::/10"], "fe80::1%eth0", true],
  [["0.0.0.0/0"], "8.8.8.8", true],
  [["0.0.0.0/0"], "2001:db8::1", false],
  [["10.0.0.7"], "10.0.0.7", true],
  [[], "127.0.0.1", false],
  [["10.0.0.0/8"], undefined, true],
  [undefined, "8.8.8.8", true],
])("with %j the peer %s is allowed: %s", (blocks, peer, isAllowed) => {
  expect(createAllowList(blocks)(peer)).toBe(isAllowed);
});

it.each(["localhost", "10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/", ""])(
  "%j is refused as a block",
  (block) => {
    expect(() => createAllowList([block])).toThrow(/allow_admin/);
  },
);
