import type { PluginInstance } from "@fngate/plugin-kit";
import { isOwnField, safeFieldValue, toByteString } from "../shared/wire-text.ts";
import type { AttachConsumerLabelConfig } from "./schema.ts";

/** Sets the configured fields from the caller's labels; what the client sent under these names never goes on. */
export function attachLabels({ headers }: AttachConsumerLabelConfig): PluginInstance {
  const own = Object.entries(headers).filter(([name]) => isOwnField(name));
  const fields = own.map(([name, reference]) => ({ name, lower: name.toLowerCase(), label: reference.slice(1) }));
  return {
    // Not `beforeProxy`, which functions do not have.
    access({ consumer, request }) {
      const labels = consumer?.labels ?? {};
      for (const { label, lower, name } of fields) {
        if (Object.hasOwn(labels, label))
          request.headers.set(name, safeFieldValue(toByteString(String(labels[label]))));
        else request.headers.delete(lower);
      }
    },
  };
}
