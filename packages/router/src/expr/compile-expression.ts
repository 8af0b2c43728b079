import { GatewayError } from "@fngate/kernel";
import { SharedPool } from "../shared-pool.ts";
import { Condition } from "./condition.ts";
import type { CompiledExpression } from "./expression.ts";
import { GROUP_LOGICS, Group, type GroupLogic } from "./group.ts";
import { findOperator } from "./operators/index.ts";
import { TextEquality } from "./text-equality.ts";

/** JSON of a request may nest as deep as its size allows; no written expression comes near this. */
const DEEPEST = 128;

const AND: GroupLogic = { decisive: false, decided: false };

const ALWAYS: CompiledExpression = { evaluate: () => true };

/**
 * Compiles a `vars` expression or plugin filter. An empty one always holds.
 *
 * Raises `EXPRESSION_INVALID`; its message is APISIX's own text after `failed to validate the 'vars' expression: `.
 * Whether variables of that name exist is not looked at. Source: APISIX routing, "`vars` expressions".
 */
export function compileExpression(vars: unknown): CompiledExpression {
  const elements = elementsOf(vars);
  if (elements === undefined) throw invalid("rule should be wrapped inside brackets");
  if (elements.length === 0) return ALWAYS;
  if (!isGroup(elements)) throw invalid("rule should be wrapped inside brackets");
  return compileGroup(elements, 1);
}

/** An array as it is; an empty JSON object too, which Lua cannot tell from an empty array. */
function elementsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  const isEmptyObject = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return isEmptyObject ? [] : undefined;
}

function isGroup(elements: readonly unknown[]): boolean {
  return elementsOf(elements[0]) !== undefined || logicOf(elements[0]) !== undefined;
}

function logicOf(word: unknown): GroupLogic | undefined {
  return typeof word === "string" ? GROUP_LOGICS.get(word.toUpperCase()) : undefined;
}

function compileGroup(elements: readonly unknown[], depth: number): CompiledExpression {
  if (depth > DEEPEST) throw invalid(`expression is nested deeper than ${DEEPEST} levels`);
  const logic = logicOf(elements[0]);
  const members = logic === undefined ? elements : elements.slice(1);
  if (logic !== undefined && members.length < 2) throw invalid("rule too short");
  const [first = ALWAYS, second, ...others] = members.map((member) => compileMember(member, depth));
  return second === undefined ? first : new Group(logic ?? AND, [first, second, ...others]);
}

function compileMember(member: unknown, depth: number): CompiledExpression {
  const elements = elementsOf(member);
  if (elements === undefined) throw invalid("rule should be wrapped inside brackets");
  if (elements.length === 0) throw invalid("rule too short");
  return isGroup(elements) ? compileGroup(elements, depth + 1) : compileCondition(elements);
}

function compileCondition(elements: readonly unknown[]): CompiledExpression {
  const [name, second, third, fourth] = elements;
  const variable = variableName(name);
  switch (elements.length) {
    case 2:
      return compileTest({ variable, operator: "==", expected: second, isNegated: false });
    case 3:
      return compileTest({ variable, operator: second, expected: third, isNegated: false });
    case 4:
      if (second !== "!") throw invalid("bad 'not' expression");
      return compileTest({ variable, operator: third, expected: fourth, isNegated: true });
    default:
      throw invalid("invalid expression");
  }
}

interface WrittenTest {
  readonly variable: string;
  readonly operator: unknown;
  readonly expected: unknown;
  readonly isNegated: boolean;
}

/** Many routes ask for the same. */
const sharedConditions = new SharedPool<CompiledExpression>();

function compileTest({ variable, operator: name, expected, isNegated }: WrittenTest): CompiledExpression {
  const operator = findOperator(name);
  if (operator === undefined) throw invalid(`invalid operator '${typeof name === "object" ? "table" : String(name)}'`);
  const compile = (): CompiledExpression =>
    operator.name === "==" && typeof expected === "string" && !isNegated
      ? new TextEquality(variable, expected)
      : new Condition(variable, operator.compile(expected), isNegated);
  if (typeof expected === "object") return compile();
  // The length tells where the variable ends.
  const key = `${operator.name} ${isNegated} ${typeof expected} ${variable.length} ${variable}${expected}`;
  return sharedConditions.take(key, compile);
}

function variableName(name: unknown): string {
  if (typeof name === "string") return name;
  if (typeof name === "number") return String(name);
  throw invalid("invalid expression");
}

function invalid(message: string): GatewayError {
  return new GatewayError("EXPRESSION_INVALID", message);
}
