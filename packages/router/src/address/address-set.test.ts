import { describe, expect, it } from "vitest";
import { AddressSet } from "./address-set.ts";

describe("AddressSet", () => {
  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "9.255.0.1", false],
    ["10.1.2.3/8", "10.9.9.9", true],
    ["::/0", "::1", true],
    ["::/0", "1.2.3.4", false],
    ["2001:db8::/33", "2001:db8:7fff::", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["::ffff:0:0/96", "1.2.3.4", true],
    ["::ffff:0:0/90", "1.2.3.4", false],
    ["1.2.3.4", "::ffff:1.2.3.4", true],
    ["1.2.3.4", "127.1", false],
    ["127.0.0.1", "127.1", false],
    ["1.2.3.4", "", false],
  ])("%s and %s: %s", (range, address, isInside) => {
    expect(new AddressSet([range]).has(address)).toBe(isInside);
  });

  it.each([
    "",
    "x",
    "1.2.3",
    "1.2.3.4/",
    "1.2.3.4/33",
    "1.2.3.4/-1",
    "1.2.3.4/8/8",
    "::1/129",
    "fe80::1%eth0",
    "0x7f.1",
  ])("refuses %j by name", (text) => {
    expect(() => new AddressSet(["::1", text])).toThrow(
      expect.objectContaining({ code: "ROUTER_PATTERN_INVALID", message: `invalid ip address: ${text}` }),
    );
  });
});
