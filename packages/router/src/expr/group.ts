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

/**
 * Expressions under one logical word; members after the decisive one are not evaluated. Most groups have two: those take
 * no list, which would be two places more in memory that a request has to wait for.
 */
export class Group implements CompiledExpression {
  readonly #logic: GroupLogic;
  readonly #first: CompiledExpression;
  readonly #second: CompiledExpression;
  readonly #others: readonly CompiledExpression[];

  constructor(logic: GroupLogic, [first, second, ...others]: GroupMembers) {
    this.#logic = logic;
    this.#first = first;
    this.#second = second;
    this.#others = others.length === 0 ? NO_OTHERS : others;
  }

  /** That of one member, where all of them have to hold. */
  get necessary(): TextCondition | undefined {
    return this.#bearer?.necessary;
  }

  get remainder(): CompiledExpression | undefined {
    const bearer = this.#bearer;
    const [first, second, ...others] = this.#members.flatMap((member) =>
      member === bearer ? (member.remainder ?? []) : [member],
    );
    return first === undefined || second === undefined ? first : new Group(this.#logic, [first, second, ...others]);
  }

  get #bearer(): CompiledExpression | undefined {
    const { decisive, decided } = this.#logic;
    if (decisive || decided) return undefined;
    return this.#members.find(({ necessary }) => necessary !== undefined);
  }

  get #members(): readonly CompiledExpression[] {
    return [this.#first, this.#second, ...this.#others];
  }

  evaluate(variables: VariableLookup): boolean {
    const { decisive, decided } = this.#logic;
    if (this.#first.evaluate(variables) === decisive || this.#second.evaluate(variables) === decisive) return decided;
    const others = this.#others;
    for (let index = 0; index < others.length; index += 1) {
      if ((others[index] as CompiledExpression).evaluate(variables) === decisive) return decided;
    }
    return !decided;
  }
}

/** Two at least. */
export type GroupMembers = readonly [CompiledExpression, CompiledExpression, ...(readonly CompiledExpression[])];

const NO_OTHERS: readonly CompiledExpression[] = [];
