import { messageOf } from "@fngate/kernel";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { z } from "zod";

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** Tells whether a plugin may have that name. */
export function isPluginName(name: string): boolean {
  return NAME.test(name) && name.length <= 100;
}

/** What a module exports that is meant to be a plugin: the default export, else every export with a `setup`. */
export function pluginsIn(module: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (module["default"] !== undefined) return [module["default"]].flat();
  return Object.values(module).filter((value) => typeof value === "object" && value !== null && "setup" in value);
}

/** Tells a plugin from everything else, together with what is wrong where it is none; each says what to write instead. */
export function checkPlugin(value: unknown): PluginDefinition | readonly string[] {
  if (typeof value !== "object" || value === null) return ["it is no object; write definePlugin({ ... })"];
  const problems = [
    ...nameProblems(Reflect.get(value, "name")),
    ...numberProblems(value),
    ...schemaProblems(value),
    ...(typeof Reflect.get(value, "setup") === "function"
      ? []
      : ["setup is missing; write setup: (config, deps) => ({ ... })"]),
    ...(isOneOf(Reflect.get(value, "type"), [undefined, "auth"]) ? [] : ['type is neither absent nor "auth"']),
  ];
  return problems.length > 0 ? problems : (value as PluginDefinition);
}

function nameProblems(name: unknown): readonly string[] {
  if (typeof name === "string" && isPluginName(name)) return [];
  return [
    `name ${JSON.stringify(name)} is no plugin name; write lower-case words joined by dashes, such as "my-plugin"`,
  ];
}

function numberProblems(value: object): readonly string[] {
  const { priority, version } = value as Record<string, unknown>;
  const problems: string[] = [];
  if (typeof version !== "number") problems.push("version is no number; write version: 0.1");
  if (!Number.isInteger(priority))
    problems.push("priority is no whole number; write one of 1 to 99, larger runs earlier");
  return problems;
}

function schemaProblems(value: object): readonly string[] {
  const problems: string[] = [];
  if (Reflect.get(value, "schema") === undefined) problems.push("schema is missing; write schema: z.object({ ... })");
  for (const field of ["schema", "consumerSchema", "streamSchema", "metadataSchema"]) {
    const schema: unknown = Reflect.get(value, field);
    const problem = schema === undefined ? undefined : schemaProblem(schema);
    if (problem !== undefined) problems.push(`${field} ${problem}`);
  }
  return problems;
}

function schemaProblem(schema: unknown): string | undefined {
  if (typeof schema !== "object" || schema === null || !("_zod" in schema)) return "is no zod schema";
  try {
    const json = z.toJSONSchema(schema as z.ZodType, { io: "input" });
    return json.type === "object" ? undefined : "is not that of an object; write z.object({ ... })";
  } catch (error) {
    return `cannot be shown to clients as JSON Schema: ${messageOf(error)}`;
  }
}

function isOneOf(value: unknown, allowed: readonly unknown[]): boolean {
  return allowed.includes(value);
}
