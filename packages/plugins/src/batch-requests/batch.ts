import type { ValueChecker } from "@fngate/plugin-kit";
import { z } from "zod";
import { HTTP_METHODS } from "../shared/http-methods.ts";

const texts = () => z.record(z.string(), z.unknown());

/** One request of a batch. */
const item = z.strictObject({
  version: z.literal([1, 1.1]).default(1.1),
  method: z.enum(HTTP_METHODS).default("GET"),
  path: z.string().min(1),
  query: texts().optional(),
  headers: texts().optional(),
  body: z.string().optional(),
  ssl_verify: z.boolean().default(false),
});

/** What a client sends: requests, and what they have in common. Wire names. */
const batch = z.looseObject({
  query: texts().optional(),
  headers: texts().optional(),
  timeout: z.int().min(1).default(30_000),
  pipeline: z.array(item).min(1),
});

/** {@link batch} with defaults filled in. */
export type Batch = z.output<typeof batch>;

/** One request of a batch, as parsed. */
export type BatchItem = Batch["pipeline"][number];

/** Reads a batch; text: what is wrong with it. */
export function parseBatch(text: string, values: ValueChecker): Batch | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "invalid request body: it is not JSON";
  }
  const checked = values.check(batch, value);
  if (checked.ok) return checked.value;
  const isMissing = checked.message === 'property "pipeline" is required';
  return `bad request body: ${isMissing ? 'object matches none of the required: ["pipeline"]' : checked.message}`;
}
