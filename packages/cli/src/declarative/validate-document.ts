import { GatewayError } from "@fngate/kernel";
import type { LocatedItem } from "../document/read-document.ts";
import { type AdminConnection, reasonOf } from "./admin-connection.ts";
import { writableValue } from "./comparable.ts";
import type { LiveConfiguration } from "./live-configuration.ts";
import { objectName, type Plan } from "./plan.ts";
import { nameOf, referencesOf } from "./references.ts";

/** Bytes of one request, well below what the Admin API takes. */
const CHUNK_BYTES = 1_048_576;

/** What {@link findProblems} looks at. */
export interface ImportCheck {
  readonly items: readonly LocatedItem[];
  readonly live: LiveConfiguration;
  readonly plan: Plan;
  readonly isPruning: boolean;
}

/**
 * Finds everything that would keep a file's objects from being stored: what the gateway itself says of those that would
 * be written, references that lead nowhere, kinds that it does not take. One sentence each, with the file's line.
 */
export async function findProblems(check: ImportCheck, connection: AdminConnection): Promise<readonly string[]> {
  const { items, live, plan, isPruning } = check;
  const written = new Set(plan.steps.flatMap((step) => (step.action === "delete" ? [] : [objectName(step.after)])));
  const writtenItems = items.filter((item) => written.has(objectName(item)));
  return [
    ...items.flatMap((item) => ownProblems(item, live)),
    ...referenceProblems(items, live, isPruning),
    ...(await refusals(writtenItems, connection)),
  ];
}

function ownProblems({ definition, isNamed, origin, section }: LocatedItem, { refused }: LiveConfiguration): string[] {
  const refusal = refused.get(definition.kind);
  if (refusal !== undefined) return [`${origin}: ${refusal}`];
  return isNamed ? [] : [`${origin}: an item of ${section.plural} has no id, by which it would be found again`];
}

function referenceProblems(items: readonly LocatedItem[], live: LiveConfiguration, isPruning: boolean): string[] {
  const remaining = [...items, ...(isPruning ? [] : live.objects)];
  const names = new Set(remaining.map(objectName));
  return items.flatMap((item) =>
    referencesOf(item)
      .filter((target) => !names.has(nameOf(target)))
      .map(
        (target) =>
          `${item.origin}: ${item.definition.label} ${item.id} names ${nameOf(target)}, which there would not be`,
      ),
  );
}

/** Asks the gateway, in parts that it takes. */
async function refusals(items: readonly LocatedItem[], connection: AdminConnection): Promise<string[]> {
  const problems: string[] = [];
  for (const chunk of chunksOf(items)) {
    const bySection = Object.groupBy(chunk, ({ section }) => section.plural);
    const body = Object.fromEntries(
      Object.entries(bySection).map(([plural, ofKind = []]) => [plural, ofKind.map(sentItem)]),
    );
    const answer = await connection.send("POST", "/configs/validate", { body });
    if (answer.status === 200) continue;
    const { errors } = Object(answer.body);
    if (!Array.isArray(errors)) throw new GatewayError("ADMIN_REFUSED", `POST /configs/validate: ${reasonOf(answer)}`);
    for (const error of errors) {
      const { resource_type, index, error: reason } = Object(error);
      const item = bySection[String(resource_type)]?.[Number(index)];
      const subject =
        item === undefined ? String(resource_type) : `${item.origin}: ${item.definition.label} ${item.id}`;
      problems.push(`${subject}: ${String(reason)}`);
    }
  }
  return problems;
}

function sentItem({ definition, raw, version }: LocatedItem): object {
  const value = writableValue(definition, raw);
  return version === undefined
    ? value
    : Object.fromEntries(Object.entries(value).filter(([name]) => name !== "modifiedIndex"));
}

function chunksOf(items: readonly LocatedItem[]): LocatedItem[][] {
  const chunks: LocatedItem[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const bytes = Buffer.byteLength(JSON.stringify(item.raw));
    if (sizeBytes + bytes > CHUNK_BYTES) {
      chunks.push([]);
      sizeBytes = 0;
    }
    sizeBytes += bytes;
    chunks.at(-1)?.push(item);
  }
  return chunks;
}
