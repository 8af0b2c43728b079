import { describeLuaPlugin } from "../testing/describe-lua-plugin.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { bodyTransformer } from "./index.ts";
import { bodyTransformerSchema } from "./schema.ts";

const template = '{"foo":"{{name .. " world"}}"}';

describeSchema(bodyTransformerSchema, {
  defaults: [
    { request: { template } },
    { request: { template }, max_req_body_size: 67_108_864, max_resp_body_size: 67_108_864 },
  ],
  accepts: [
    { response: { template, input_format: "xml", template_is_base64: true, other: 1 } },
    { request: { template: "" }, response: { template } },
  ],
  refuses: [
    [{}, "object matches none of the required"],
    [{ request: {} }, "request.template"],
    [{ request: { template, input_format: "yaml" } }, "request.input_format"],
    [{ response: { template: 1 } }, "response.template"],
    [{ request: { template }, max_req_body_size: 0 }, "max_req_body_size"],
  ],
});

describeLuaPlugin(bodyTransformer, {
  folder: import.meta.dirname,
  refused: { "request.template": { request: { template } }, "response.template": { response: { template } } },
});
