import { compileTemplate, type PluginDeps, type PluginInstance, type RequestContext } from "@fngate/plugin-kit";
import { compileFields } from "../shared/answer-fields.ts";
import { pause } from "../shared/pause.ts";
import { exampleOf, type Random } from "./example.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { MockingConfig } from "./schema.ts";
import { renderXml } from "./xml.ts";

/** The APISIX version whose behaviour this is. */
const MOCK_BY = "APISIX/3.18.0";

/** Answers every request in place of the upstream. */
export function mockAnswers(config: MockingConfig, { clock, random }: PluginDeps): PluginInstance {
  const { content_type: contentType, delay, response_status: status, with_mock_header: isMarked } = config;
  const bodyOf = compileBody(config, random);
  const fieldsOf = compileFields(config.response_headers);
  const fixed = ["Content-Type", contentType, ...(isMarked ? ["x-mock-by", MOCK_BY] : [])];
  return {
    access(context) {
      const headers = [...fixed, ...fieldsOf(context.variables)];
      const reply = { kind: "reply", status, headers, body: bodyOf(context) } as const;
      return delay > 0 ? pause(clock, delay * 1000, context.signal).then(() => reply) : reply;
    },
  };
}

function compileBody(config: MockingConfig, random: Random): (context: RequestContext) => string {
  const { content_type: contentType, response_example: example, response_schema: schema } = config;
  if (example !== undefined) {
    const template = compileTemplate(example);
    return ({ variables }) => template.render(variables);
  }
  const mediaType = mediaTypeOf(contentType);
  // Markup for people has no schema (APISIX: mocking).
  if (schema === undefined || mediaType === "text/html") return () => "";
  if (mediaType.endsWith("/xml")) return () => renderXml("data", exampleOf(schema, random));
  return () => JSON.stringify(exampleOf(schema, random));
}
