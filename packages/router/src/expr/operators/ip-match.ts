import { GatewayError, messageOf } from "@fngate/kernel";
import { AddressSet } from "../../address/address-set.ts";
import type { Operator } from "./operator.ts";

/** `ipmatch`: the variable is an address inside one of the ranges. */
export const ipMatch: Operator = {
  name: "ipmatch",
  compile: (expected) => {
    const addresses = parseAddresses(expected);
    return (actual) => typeof actual === "string" && addresses.has(actual);
  },
};

function parseAddresses(expected: unknown): AddressSet {
  const texts: readonly unknown[] = Array.isArray(expected) ? expected : [expected];
  if (!texts.every((text) => typeof text === "string"))
    throw new GatewayError("EXPRESSION_INVALID", "invalid ip address");
  try {
    return new AddressSet(texts);
  } catch (cause) {
    throw new GatewayError("EXPRESSION_INVALID", messageOf(cause), { cause });
  }
}
