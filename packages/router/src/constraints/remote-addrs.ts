import { AddressSet } from "../address/address-set.ts";
import type { MatchInput } from "../router.ts";
import type { Constraint, ConstraintStrategy } from "./constraint.ts";

/** The client's address must be in one of the ranges. Source: APISIX routing, `remote_addrs`. */
export const remoteAddrsStrategy: ConstraintStrategy = {
  name: "remoteAddrs",
  compile: ({ remoteAddrs }) =>
    remoteAddrs === undefined || remoteAddrs.length === 0 ? undefined : new RemoteAddrs(remoteAddrs),
};

class RemoteAddrs implements Constraint {
  readonly #addresses: AddressSet;

  constructor(texts: readonly string[]) {
    this.#addresses = new AddressSet(texts);
  }

  admits(input: MatchInput): boolean {
    return this.#addresses.has(input.remoteAddress);
  }
}
