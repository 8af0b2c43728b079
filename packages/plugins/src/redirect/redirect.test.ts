import { describePlugin } from "@fngate/plugin-kit/testing";
import { describe, expect, it } from "vitest";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { redirect } from "./index.ts";
import { redirectSchema } from "./schema.ts";

describePlugin(redirect, { folder: import.meta.dirname, config: { uri: "/new" } });

const DEFAULTS = { ret_code: 302, encode_uri: false, append_query_string: false };

describeSchema(redirectSchema, {
  defaults: [{ uri: "/a" }, { uri: "/a", ...DEFAULTS }],
  accepts: [
    { regex_uri: ["^/a/(.*)", "/b/$1"], ret_code: 301 },
    { http_to_https: true, ret_code: 307 },
  ],
  refuses: [
    [{}, "value should match only one schema, but matches none"],
    [{ uri: "/a", regex_uri: ["a", "b"] }, "value should match only one schema, but matches both schemas 1 and 2"],
    [{ uri: "/a", http_to_https: true }, "value should match only one schema, but matches both schemas 1 and 3"],
    [{ uri: "/" }, "uri"],
    [{ uri: "/a", ret_code: 100 }, "ret_code"],
    [{ regex_uri: ["a"] }, "regex_uri"],
    [{ regex_uri: ["(", "b"] }, "invalid regex_uri ((, b), err:error parsing regexp: missing closing ): `(`"],
    [
      { http_to_https: true, append_query_string: true },
      "only one of `http_to_https` and `append_query_string` can be configured.",
    ],
  ],
});

describe("redirect", () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are templates of the gateway
  it.each([
    [{ uri: "/test/add" }, "/hello", 302, "/test/add"],
    [{ uri: "$uri/test", ret_code: 301 }, "/hello", 301, "/hello/test"],
    [{ uri: "/foo$$uri" }, "/hello", 302, "/foo$/hello"],
    [{ uri: "/a\\$uri$uri" }, "/hello", 302, "/a\\$uri/hello"],
    [{ uri: "/foo$uri$none" }, "/hello", 302, "/foo/hello"],
    [{ uri: "https://${host}${request_uri}" }, "/hello?a=b", 302, "https://127.0.0.1/hello?a=b"],
    [{ uri: "/$arg_name" }, "/x?name=jack", 302, "/jack"],
    [{ regex_uri: ["^/test/(.*)/(.*)", "/$2_$1"] }, "/test/a/b", 302, "/b_a"],
    [{ regex_uri: ["^/test", "http://other.com/${0}$$"] }, "/test/x", 302, "http://other.com//test$/x"],
    [{ uri: "/a b?c d", encode_uri: true }, "/x", 302, "/a%20b?c d"],
    [{ uri: "/a", append_query_string: true }, "/x?b=c", 302, "/a?b=c"],
    [{ uri: "/a?d=e", append_query_string: true }, "/x?b=c", 302, "/a?d=e&b=c"],
    [{ uri: "/a", append_query_string: true }, "/x", 302, "/a"],
  ])("with %j answers %s with %i and %s", async (...[config, target, status, location]) => {
    await using gateway = await gatewayWith(redirect, config);
    expect(await gateway.get(target)).toMatchObject({ status, headers: { location } });
  });

  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are templates of the gateway

  it("lets requests go on that the pattern does not match, or that are https already", async () => {
    await using pattern = await gatewayWith(redirect, { regex_uri: ["^/test", "/x"] });
    expect((await pattern.get("/other")).status).toBe(200);
    await using https = await gatewayWith(
      redirect,
      { http_to_https: true },
      {
        options: { trustedAddresses: ["127.0.0.1"] },
      },
    );
    expect((await https.get("/", { "x-forwarded-proto": "https" })).status).toBe(200);
    await using off = await gatewayWith(redirect, { http_to_https: false });
    expect((await off.get("/")).status).toBe(200);
  });

  it.each([
    ["GET", 301],
    ["HEAD", 301],
    ["POST", 308],
  ])("sends %s to https with %i, whatever ret_code says", async (method, status) => {
    await using gateway = await gatewayWith(redirect, { http_to_https: true, ret_code: 302 });
    const answer = await gateway.send("/a?b", { method, headers: { host: "foo.com:8080" } });
    expect(answer).toMatchObject({ status, headers: { location: "https://foo.com/a?b" } });
  });

  it("shows the port that plugin_attr names, but for 443", async () => {
    for (const [https_port, location] of [
      [8443, "https://foo.com:8443/"],
      [443, "https://foo.com/"],
    ] as const) {
      await using gateway = await gatewayWith(
        redirect,
        { http_to_https: true },
        {
          options: { pluginAttributes: { redirect: { https_port } } },
        },
      );
      expect((await gateway.get("/", { host: "foo.com" })).headers.location).toBe(location);
    }
  });

  it("keeps line breaks of a decoded path out of the head", async () => {
    await using gateway = await gatewayWith(redirect, { uri: "/to$uri" });
    const answer = await gateway.get("/a%0d%0aX-Injected:%201");
    expect(answer.headers.location).toBe("/to/a%0D%0AX-Injected: 1");
    expect(answer.headers).not.toHaveProperty("x-injected");
  });
});
