import { createRequire } from "node:module";
import { lazy } from "@fngate/kernel";
import type { DocumentNode } from "graphql/language";

const require = createRequire(import.meta.url);
const language = lazy((): typeof import("graphql/language") => require("graphql/language"));

/** What routes may ask of a GraphQL request: its first definition (APISIX: `graphql_*` variables). */
export interface GraphqlFacts {
  /** `query`, `mutation` or `subscription`; absent for a fragment. */
  readonly operation: string | undefined;
  /** Empty when the operation is anonymous. */
  readonly name: string;
  readonly rootFields: readonly string[];
}

/** Names, braces and arguments of any request fit; the parser recurses, so a document made of braces must not. */
const MOST_TOKENS = 20_000;

/** Reads a GraphQL document; nothing for one that is none, or whose first definition is no operation. */
export function readGraphql(text: string): GraphqlFacts | undefined {
  const definition = tryParse(text)?.definitions[0];
  if (definition?.kind !== "OperationDefinition" && definition?.kind !== "FragmentDefinition") return undefined;
  return {
    operation: definition.kind === "OperationDefinition" ? definition.operation : undefined,
    name: definition.name?.value ?? "",
    rootFields: definition.selectionSet.selections.flatMap((selection) =>
      "name" in selection ? [selection.name.value] : [],
    ),
  };
}

function tryParse(text: string): DocumentNode | undefined {
  try {
    return language().parse(text, { noLocation: true, maxTokens: MOST_TOKENS });
  } catch {
    return undefined;
  }
}
