import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { cors } from "./index.ts";
import { corsSchema } from "./schema.ts";

describePlugin(cors, { folder: import.meta.dirname, config: {} });

const FILLED = {
  allow_origins: "*",
  allow_methods: "*",
  allow_headers: "*",
  max_age: 5,
  allow_credential: false,
};
const NO_WILDCARD = "you can not set '*' for other option when 'allow_credential' is true";
const SPECIFIC = { allow_origins: "http://a.com", allow_methods: "GET", allow_headers: "X-A", allow_credential: true };

describeSchema(corsSchema, {
  defaults: [{}, FILLED],
  accepts: [
    { allow_origins: "**", allow_methods: "**", allow_headers: "**", expose_headers: "X-A", max_age: -1 },
    { allow_origins: "null" },
    {
      allow_origins: "http://a.com,https://b.com:8443",
      timing_allow_origins: "*",
      timing_allow_origins_by_regex: ["a"],
    },
    { allow_origins_by_regex: [".*\\.test\\.com$"], allow_origins_by_metadata: ["NAME"], ...SPECIFIC },
  ],
  refuses: [
    [{ allow_origins: "a.com" }, "allow_origins"],
    [{ allow_origins: "http://a.com,*" }, "allow_origins"],
    [{ max_age: "5" }, "max_age"],
    [{ allow_credential: true }, NO_WILDCARD],
    [{ ...SPECIFIC, timing_allow_origins: "*" }, NO_WILDCARD],
    [{ ...SPECIFIC, expose_headers: "*" }, NO_WILDCARD],
    [{ allow_origins_by_regex: [] }, "allow_origins_by_regex"],
    [{ allow_origins_by_regex: ["("] }, 'invalid regular expression "(": error parsing regexp: missing closing ): `(`'],
  ],
});

/** The fields of an answer that are about sharing. */
async function fieldsFor(config: object, headers: Readonly<Record<string, string>>, method = "GET") {
  await using gateway = await gatewayWith(
    cors,
    { ...config },
    {
      pluginMetadata: { cors: { allow_origins: { team: "http://team.com,http://other.com", all: "*" } } },
    },
  );
  const answer = await gateway.send("/", { headers, method });
  const about = Object.entries(answer.headers).filter(([name]) => /^(access-control|vary|timing)/.test(name));
  return { status: answer.status, body: answer.body, ...Object.fromEntries(about) };
}

describe("cors", () => {
  it("lets every origin read answers by default", async () => {
    expect(await fieldsFor({}, { origin: "http://a.com" })).toMatchObject({
      status: 200,
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "*",
      "access-control-allow-headers": "*",
      "access-control-max-age": "5",
    });
  });

  it("answers every OPTIONS request itself, with an empty body", async () => {
    expect(await fieldsFor({}, {}, "OPTIONS")).toMatchObject({
      status: 200,
      body: "",
      "access-control-allow-origin": "*",
    });
  });

  it("says nothing to an origin that is not allowed, but that answers differ", async () => {
    expect(await fieldsFor({ allow_origins: "http://a.com,http://b.com" }, { origin: "http://c.com" })).toEqual({
      status: 200,
      body: expect.any(String),
      vary: "Origin",
    });
  });

  it("names the origin where a list allows it", async () => {
    const fields = await fieldsFor({ allow_origins: "http://a.com,http://b.com" }, { origin: "http://b.com" });
    expect(fields).toMatchObject({ "access-control-allow-origin": "http://b.com", vary: "Origin" });
  });

  it("echoes and spells out what ** stands for", async () => {
    const all = { allow_origins: "**", allow_methods: "**", allow_headers: "**", expose_headers: "X-B", max_age: 9 };
    const headers = { origin: "http://a.com", "access-control-request-headers": "req-header2" };
    expect(await fieldsFor({ ...all, allow_credential: true }, headers)).toMatchObject({
      "access-control-allow-origin": "http://a.com",
      "access-control-allow-methods": "GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE",
      "access-control-allow-headers": "req-header2",
      "access-control-expose-headers": "X-B",
      "access-control-allow-credentials": "true",
      "access-control-max-age": "9",
    });
    expect(await fieldsFor(all, {})).not.toHaveProperty("access-control-allow-headers");
  });

  it.each([
    [{ allow_origins_by_regex: [".*\\.test\\.com$"] }, "http://a.test.com", "http://a.test.com"],
    [{ allow_origins_by_regex: [".*\\.test\\.com$"] }, "http://a.test.org", undefined],
    [{ allow_origins: "http://a.com", allow_origins_by_regex: ["b\\.com$"] }, "http://a.com", undefined],
    [{ allow_origins_by_metadata: ["team"] }, "http://team.com", "http://team.com"],
    [{ allow_origins_by_metadata: ["team"] }, "http://foreign.com", undefined],
    [{ allow_origins_by_metadata: ["missing", "all"] }, "http://any.com", "http://any.com"],
    [{ allow_origins: "http://a.com", allow_origins_by_metadata: ["team"] }, "http://a.com", "http://a.com"],
  ])("under %j answers origin %s with %s", async (config, origin, allowed) => {
    const fields: Readonly<Record<string, unknown>> = await fieldsFor(config, { origin });
    expect(fields["access-control-allow-origin"]).toBe(allowed);
  });

  it("lets timings be read by whom the list or the patterns name", async () => {
    const listed = await fieldsFor({ timing_allow_origins: "http://a.com" }, { origin: "http://a.com" });
    expect(listed).toMatchObject({ "timing-allow-origin": "http://a.com" });
    const matched = await fieldsFor({ timing_allow_origins_by_regex: ["a\\.com$"] }, { origin: "http://x.a.com" });
    expect(matched).toMatchObject({ "timing-allow-origin": "http://x.a.com" });
    expect(await fieldsFor({}, { origin: "http://a.com" })).not.toHaveProperty("timing-allow-origin");
  });

  it("puts its fields over those of the upstream", async () => {
    await using gateway = await gatewayWith(
      cors,
      { allow_origins: "http://a.com" },
      {
        upstream: { headers: { "access-control-allow-origin": "http://upstream.com" } },
      },
    );
    const allowed = await gateway.get("/", { origin: "http://a.com" });
    expect(allowed.headers["access-control-allow-origin"]).toBe("http://a.com");
    const foreign = await gateway.get("/", { origin: "http://b.com" });
    expect(foreign.headers["access-control-allow-origin"]).toBe("http://upstream.com");
  });
});
