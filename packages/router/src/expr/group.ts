import type { CompiledExpression, TextCondition, VariableLookup } from "./expression.ts";

/** How a group joins its members. */
export interface GroupLogic {
  /** The member result that decides the group at once. */
  readonly decisive: boolean;
  /** What the group is when a member was decisive; otherwise it is the opposite. */
  readonly decided: boolean;
}

/** The logical words, upper case. */
export const GROUP_LOGICS: ReadonlyMap<string, GroupLogic> = new Map([
  ["AND", { decisive: false, decided: false }],
  ["OR", { decisive: true, decided: true }],
  ["!AND", { decisive: false, decided: true }],
  ["!OR", { decisive: true, decided: false }],
]);

/** Expressions under one logical word; members after the decisive one are not evaluated. */
export class Group implements CompiledExpression {
  readonly #logic: GroupLogic;
  readonly #members: readonly CompiledExpression[];

  constructor(logic: GroupLogic, members: readonly CompiledExpression[]) {
    this.#logic = logic;
    this.#members = members;
  }

  /** That of one member, where all of them have to hold. */
  get necessary(): TextCondition | undefined {
    const { decisive, decided } = this.#logic;
    if (decisive || decided) return undefined;
    for (const { necessary } of this.#members) {
      if (necessary !== undefined) return necessary;
    }
    return undefined;
  }

  evaluate(variables: VariableLookup): boolean {
    const { decisive, decided } = this.#logic;
    const members = this.#members;
    for (let index = 0; index < members.length; index += 1) {
      if ((members[index] as CompiledExpression).evaluate(variables) === decisive) return decided;
    }
    return !decided;
  }
}
