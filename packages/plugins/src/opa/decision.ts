import { z } from "zod";

const fieldValue = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** A decision as a policy returns it; what is not understood does not allow anything. */
const decision = z.object({
  result: z.object({
    allow: z.unknown().optional(),
    reason: z.unknown().optional(),
    headers: z.record(z.string(), fieldValue).optional(),
    status_code: z.int().min(200).max(599).optional(),
  }),
});

/** What a policy decided. */
export type Decision = z.output<typeof decision>["result"];

/** Reads the answer of an OPA server; nothing when it is no decision. */
export function parseDecision(body: Uint8Array): Decision | undefined {
  try {
    return decision.safeParse(JSON.parse(Buffer.from(body).toString("utf8"))).data?.result;
  } catch {
    return undefined;
  }
}
