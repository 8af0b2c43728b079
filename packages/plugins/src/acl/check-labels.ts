import type { PluginInstance, Reply } from "@fngate/plugin-kit";
import type { AclConfig } from "./schema.ts";

type Labels = Readonly<Record<string, string>>;
type WantedLabels = Readonly<Record<string, readonly string[]>>;

const NOBODY: Reply = { kind: "reply", status: 401, body: { message: "Missing authentication." } };

/** Lets consumers through, or refuses them, by their labels. */
export function checkLabels(config: AclConfig): PluginInstance {
  const { allow_labels: allowed, deny_labels: denied, rejected_code: status, rejected_msg: message } = config;
  const refusal: Reply = { kind: "reply", status, body: { message: message ?? "The consumer is forbidden." } };
  return {
    access({ consumer }) {
      if (consumer === undefined) return NOBODY;
      if (denied !== undefined && hasOne(consumer.labels, denied)) return refusal;
      return allowed !== undefined && !hasOne(consumer.labels, allowed) ? refusal : undefined;
    },
  };
}

function hasOne(labels: Labels, wanted: WantedLabels): boolean {
  return Object.entries(wanted).some(([name, values]) => {
    const label = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return label !== undefined && valuesOf(label).some((value) => values.includes(value));
  });
}

/** A label is one value, a JSON list of them, or a list with commas (APISIX: acl). */
function valuesOf(label: string): readonly string[] {
  if (!label.startsWith("[")) return label.split(/\s*,\s*/);
  try {
    const list: unknown = JSON.parse(label);
    return Array.isArray(list) ? list.filter((value) => typeof value === "string") : [];
  } catch {
    return [];
  }
}
