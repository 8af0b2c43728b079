import type { MatchInput } from "../router.ts";
import type { Constraint, ConstraintStrategy } from "./constraint.ts";

/** The method must be listed; a verb that no route can list never passes. Source: APISIX routing, `methods`. */
export const methodsStrategy: ConstraintStrategy = {
  name: "methods",
  compile: ({ methods }) => (methods === undefined || methods.length === 0 ? undefined : new Methods(methods)),
};

class Methods implements Constraint {
  readonly #methods: readonly string[];

  constructor(methods: readonly string[]) {
    this.#methods = methods;
  }

  admits(input: MatchInput): boolean {
    return this.#methods.includes(input.method);
  }
}
