import { createRequire } from "node:module";
import { isIPv4, isIPv6 } from "node:net";
import { lazy } from "@fngate/kernel";
import type { AnySchemaObject, ErrorObject } from "ajv";
import { compilePattern } from "../shared/patterns.ts";
import { renderProblem } from "./problem-text.ts";

const require = createRequire(import.meta.url);
const validator = lazy((): typeof import("ajv") => require("ajv"));

/** What is wrong with a value, if anything; fills the schema's defaults in. */
export type JsonCheck = (value: unknown) => string | undefined;

/** Patterns are RE2's: linear in the text, whoever wrote them. */
const linearRegExp = Object.assign((source: string) => compilePattern(source), { code: "" });

/** Formats that APISIX's validator knows and that can be checked without back-tracking; others hold for every text. */
const FORMATS = {
  ipv4: isIPv4,
  ipv6: isIPv6,
  email: (text: string) => /^[^\s@]+@[^\s@]+$/.test(text),
};

/**
 * Compiles a JSON Schema (draft 7) of a user's.
 * @throws when it is no schema
 */
export function compileJsonSchema(schema: Readonly<Record<string, unknown>>): JsonCheck {
  const { Ajv } = validator();
  const ajv = new Ajv({
    strict: false,
    logger: false,
    useDefaults: true,
    verbose: true,
    formats: FORMATS,
    code: { regExp: linearRegExp },
  });
  const check = ajv.compile(withoutDialect(schema));
  return (value) => (check(value) ? undefined : textOf(check.errors?.[0]));
}

/** Older drafts differ in little that is used; the library knows one of them by name. */
function withoutDialect({ $schema: _, ...schema }: Readonly<Record<string, unknown>>): AnySchemaObject {
  return schema;
}

function textOf(error: ErrorObject | undefined): string {
  return error === undefined ? "invalid value" : renderProblem(error);
}
