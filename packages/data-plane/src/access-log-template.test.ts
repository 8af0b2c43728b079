import { definePlugin } from "@fngate/plugin-kit";
import { eventually } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { z } from "zod";
import type { AccessLogEscape } from "./options.ts";
import { catalogWith, startPlane } from "./testing/running-plane.ts";

async function lineOf(accessLogTemplate: string, accessLogEscape: AccessLogEscape = "default"): Promise<string> {
  await using plane = await startPlane({ accessLogTemplate, accessLogEscape });
  const odd = Buffer.from('a"b\\\u00e9', "utf8").toString("latin1");
  await plane.send("/x?a=1", { headers: { Host: "h.test", "X-Odd": odd, "X-Empty": "", Cookie: "c=2" } });
  return eventually(() => {
    const [line] = plane.accessLog;
    if (line === undefined) throw new Error("nothing was logged");
    return line;
  });
}

test.each([
  ["$request $status", "GET /x?a=1 HTTP/1.1 404\n"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: nginx's own way to end a name
  ["${status}x$body_bytes_sent", "404x36\n"],
  ["$remote_addr $host $uri $args $arg_a $cookie_c", "127.0.0.1 h.test /x a=1 1 2\n"],
  ["$http_x_odd", "a\\x22b\\x5C\\xC3\\xA9\n"],
  ["$http_x_empty|$is_args|$https|$upstream_uri", "|?||\n"],
  ["$route_id|$consumer_name|$matched_uri|$response_source", "-|-|-|gateway\n"],
  ["$request_completion $request_type $llm_model", "OK traditional_http \n"],
  ["$remote_user|$upstream_addr|$http_absent|$arg_b", "-|-|-|-\n"],
  ["$sent_http_content_type", "text/plain; charset=utf-8\n"],
  ["$pipe", ".\n"],
  ["no variable, 5$", "no variable, 5$\n"],
])("the template %j gives %j", async (template, expected) => {
  expect(await lineOf(template)).toBe(expected);
});

test.each<[AccessLogEscape, string]>([
  ["json", '{"odd":"a\\"b\\\\\u00e9","none":"","n":404}\n'],
  ["none", '{"odd":"a"b\\\u00e9","none":"","n":404}\n'],
])("values are escaped as for %s", async (accessLogEscape, expected) => {
  expect(await lineOf('{"odd":"$http_x_odd","none":"$http_absent","n":$status}', accessLogEscape)).toBe(expected);
});

test("variables of nginx that have no value here are absent, and told about once", async () => {
  const accessLogTemplate = "$tcpinfo_rtt|$geoip_city|$ssl_early_data|$request_body|$status";
  await using plane = await startPlane({ accessLogTemplate });
  await plane.send("/x");
  await eventually(() => expect(plane.accessLog).toEqual(["-|-|-|-|404\n"]));
  const told = plane.lines.filter(({ fields }) => fields["event"] === "access-log");
  expect(told).toMatchObject([
    { level: "warn", fields: { variables: ["$tcpinfo_rtt", "$geoip_city", "$ssl_early_data", "$request_body"] } },
  ]);
});

test("times are nginx's", async () => {
  const line = await lineOf("[$time_local] $time_iso8601 $msec $request_time");
  expect(line).toMatch(
    /^\[\d\d\/\w{3}\/\d{4}(:\d\d){3} [+-]\d{4}\] \d{4}-\d\d-\d\dT[\d:]+\+00:00 \d+\.\d{3} \d\.\d{3}\n$/,
  );
});

test("the request's id is the one that plugins see", async () => {
  const ids: unknown[] = [];
  const reading = definePlugin({
    name: "reading",
    version: 0.1,
    priority: 1,
    schema: z.looseObject({}),
    setup: () => ({
      access: ({ variables }) => {
        ids.push(variables.get("request_id"));
        return { kind: "reply", status: 204 };
      },
    }),
  });
  const accessLogTemplate = "$request_id $request_id";
  await using plane = await startPlane({ accessLogTemplate, catalog: catalogWith(reading) });
  await plane.put("routes/1", { uri: "/*", plugins: { reading: {} }, upstream: { nodes: {} } });
  await plane.send("/");
  await eventually(() => expect(plane.accessLog).toHaveLength(1));
  expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  expect(plane.accessLog[0]).toBe(`${ids[0]} ${ids[0]}\n`);
});

test.each(["nonsense", "upstream_adr", "stauts"])(
  "a variable that nobody knows keeps the plane from being built: %s",
  async (name) => {
    const problem = `access_log_format: unknown variable $${name}`;
    await expect(startPlane({ accessLogTemplate: `$${name}` })).rejects.toThrow(problem);
  },
);
