import type { PluginInstance } from "@fngate/plugin-kit";
import { dropBodyFields } from "../shared/body-fields.ts";
import { FrameBody } from "./frame-body.ts";
import type { EchoConfig } from "./schema.ts";

/** Sets the fields and changes the body of every answer. */
export function frameAnswers(config: EchoConfig): PluginInstance {
  const frame = { before: config.before_body ?? "", body: config.body, after: config.after_body ?? "" };
  const fields = Object.entries(config.headers ?? {}).filter(isField);
  return {
    headerFilter({ response }) {
      dropBodyFields(response.headers);
      for (const [name, value] of fields) response.headers.set(name, String(value));
      return undefined;
    },
    bodyFilter: () => new FrameBody(frame),
  };
}

function isField(entry: [string, unknown]): entry is [string, string | number] {
  return entry[0] !== "" && (typeof entry[1] === "string" || typeof entry[1] === "number");
}
