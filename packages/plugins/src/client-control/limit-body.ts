import type { PluginInstance, Reply } from "@fngate/plugin-kit";
import type { ClientControlConfig } from "./schema.ts";

const TOO_LARGE: Reply = { kind: "reply", status: 413 };

/** Refuses a body that is declared too large at once; one of unknown length is read first, up to the limit. */
export function limitBody({ max_body_size: maxBytes }: ClientControlConfig): PluginInstance {
  if (maxBytes === undefined || maxBytes === 0) return {};
  return {
    rewrite({ request: { body } }) {
      if (!body.isPresent) return undefined;
      if (body.declaredBytes !== undefined) return body.declaredBytes > maxBytes ? TOO_LARGE : undefined;
      return body.read(maxBytes).then((bytes) => (bytes === "too-large" ? TOO_LARGE : undefined));
    },
  };
}
