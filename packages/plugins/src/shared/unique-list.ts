import { z } from "zod";

/** A list whose items all differ (APISIX: `uniqueItems`); items are compared as JSON. */
export function uniqueList<TItem extends z.ZodType>(item: TItem, { min = 0 }: { readonly min?: number } = {}) {
  return z
    .array(item)
    .min(min)
    .superRefine((items, context) => {
      const seen = new Map<string, number>();
      for (const [index, value] of items.entries()) {
        const text = JSON.stringify(value);
        const earlier = seen.get(text);
        if (earlier !== undefined) {
          const message = `expected unique items but items ${earlier + 1} and ${index + 1} are equal`;
          context.addIssue({ code: "custom", message });
          return;
        }
        seen.set(text, index);
      }
    })
    .meta({ uniqueItems: true });
}
