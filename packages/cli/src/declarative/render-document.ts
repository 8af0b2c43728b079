import { documentSections } from "@fngate/schema";
import { stringify } from "yaml";
import { END_MARK } from "../document/end-mark.ts";
import type { DocumentFormat } from "../document/read-document.ts";
import { writableValue } from "./comparable.ts";
import type { LiveObject } from "./live-configuration.ts";

/** Objects as a document in the form of `apisix.yaml` or `apisix.json`: sections in the registry's order, objects by id. */
export function renderDocument(objects: readonly LiveObject[], format: DocumentFormat): string {
  const sections = documentSections().flatMap((section) => {
    const own = objects.filter(({ definition }) => (definition.directory ?? definition.plural) === section.plural);
    if (own.length === 0) return [];
    const sorted = own.toSorted((left, right) => (left.id < right.id ? -1 : 1));
    return [[section.plural, sorted.map(itemOf)]];
  });
  const document = Object.fromEntries(sections);
  if (format === "json") return `${JSON.stringify(document, undefined, 2)}\n`;
  return `${stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 })}${END_MARK}\n`;
}

/** An object with the id that a document knows it by: a credential's names its consumer. */
function itemOf({ definition, id, value }: LiveObject): Readonly<Record<string, unknown>> {
  const { id: _own, ...rest } = writableValue(definition, value);
  return definition.naming?.identify !== undefined && !Object.hasOwn(value, "id") ? rest : { id, ...rest };
}
