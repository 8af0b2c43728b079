import { describePlugin, runGateway } from "@fngate/plugin-kit/testing";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { openfunction } from "../openfunction/index.ts";
import { describeSchema } from "../testing/describe-schema.ts";
import { gatewayWith } from "../testing/gateway-with.ts";
import { proxyRewrite } from "./index.ts";
import { proxyRewriteSchema } from "./schema.ts";

describePlugin(proxyRewrite, { folder: import.meta.dirname, config: { uri: "/new" } });

describeSchema(proxyRewriteSchema, {
  defaults: [{}, { use_real_request_uri_unsafe: false }],
  accepts: [
    { uri: "/a?b=$arg_c", method: "MKCOL", host: "example.com:8080" },
    { regex_uri: ["^/a/(.*)", "/b/$1", "^/c", "/d$$"] },
    { headers: { "X-A": "1", "X-B": 2 } },
    { headers: { add: { a: ["1", 2] }, set: { b: "$1" }, remove: ["c"] } },
  ],
  refuses: [
    [{ uri: "home" }, "uri"],
    [{ uri: `/${"a".repeat(4096)}` }, "uri"],
    [{ method: "CONNECT" }, "method"],
    [{ host: "a_b" }, "host"],
    [{ regex_uri: ["^/a"] }, "regex_uri"],
    [{ regex_uri: ["^/a", "/b", "^/c"] }, "The length of regex_uri should be an even number"],
    [{ regex_uri: ["^/(", "/b"] }, "invalid regex_uri(^/(, /b): error parsing regexp: missing closing ): `^/(`"],
    [{ regex_uri: ["^/a", "/$x"] }, 'invalid regex_uri(^/a, /$x): invalid capturing variable name found in "/$x"'],
    [{ headers: {} }, 'property "headers" validation failed: object needs at least 1 properties'],
    [{ headers: { "X a": "1" } }, "invalid field character in header"],
    [{ headers: { "X-A": "1\r\n" } }, "invalid value character in header"],
    [{ headers: { add: { a: [] } } }, "headers.add.a"],
  ],
});

describe("proxy-rewrite", () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are templates of the gateway
  it.each([
    [{ uri: "/new" }, "/old", "/new"],
    [{ uri: "/new" }, "/old?a=1&b=2", "/new?a=1&b=2"],
    [{ uri: "/new?x=1" }, "/old?a=1", "/new?x=1&a=1"],
    [{ uri: "/u/$arg_id/${http_x_none}end" }, "/old?id=7", "/u/7/end?id=7"],
    [{ uri: "/$arg_id" }, "/old?id=a%3Fb", "/a%3Fb?id=a%3Fb"],
    [{ uri: "/你 好|" }, "/old", "/%E4%BD%A0%20%E5%A5%BD%7C"],
    [{ regex_uri: ["^/test/(.*)/(.*)/(.*)", "/$1_$2_${3}"] }, "/test/a/b/c?q=1", "/a_b_c?q=1"],
    [{ regex_uri: ["^/test/(.*)", "/x?id=$1"] }, "/test/a", "/x?id=a"],
    [{ regex_uri: ["^/test/(.*)", "/x?id=$1"] }, "/test/a?b=c", "/x?id=a&b=c"],
    [{ regex_uri: ["^/a", "/1", "^/b", "/2", "^/b", "/3"] }, "/b/c", "/2/c"],
    [{ regex_uri: ["^/test/(.*)", "/$1"] }, "/test/a%20b%3Fc", "/a%20b%3Fc"],
    [{ regex_uri: ["^/test/(.*)", "$1"] }, "/test/x", "/x"],
    [{ regex_uri: ["^/test", "/x"] }, "/other%2Fpath?q=%20", "/other%2Fpath?q=%20"],
    [{ uri: "/wins", regex_uri: ["^/", "/loses/"] }, "/x", "/wins"],
    [{ uri: "/new", use_real_request_uri_unsafe: true }, "/a%2Fb?c=d", "/new?c=d"],
    [{ regex_uri: ["^/a(.*)", "/b$1"], use_real_request_uri_unsafe: true }, "/a%2F..%2Fx?c=d", "/b%2F..%2Fx?c=d"],
    [{ headers: { "X-A": "1" } }, "/a%2Fb/../c?x", "/a%2Fb/../c?x"],
  ])("with %j asks for %s as %s", async (...[config, target, sent]) => {
    await using gateway = await gatewayWith(proxyRewrite, config);
    expect((await gateway.get(target)).status).toBe(200);
    expect((await gateway.upstream.request()).url).toBe(sent);
  });

  it("lets no line break of a decoded path into the request line or a field", async () => {
    await using gateway = await gatewayWith(proxyRewrite, {
      uri: "/x?u=$uri",
      headers: { "X-Path": "$uri" },
    });
    expect((await gateway.get("/a%0d%0aInjected:%20yes")).status).toBe(200);
    const { headers, url } = await gateway.upstream.request();
    expect(url).toBe("/x?u=/a%0D%0AInjected:%20yes");
    expect(headers["x-path"]).toBe("/a%0D%0AInjected: yes");
    expect(headers).not.toHaveProperty("injected");
  });

  it("adds, sets and removes fields, with variables and groups", async () => {
    await using gateway = await gatewayWith(proxyRewrite, {
      regex_uri: ["^/users/([0-9]+)/(.*)", "/api"],
      headers: {
        add: { "X-Many": ["a", "$1"], "X-Kept": "added" },
        set: { "X-Set": "${2}-$1-$3-$remote_addr", "X-List": ["1", 2], "X-Empty": "", "X-Fields": "$http_x_kept" },
        remove: ["X-Gone", "x-client"],
      },
    });
    await gateway.get("/users/7/$host", {
      "x-kept": "old",
      "x-set": "old",
      "x-gone": "1",
      "X-Client": "2",
      "x-empty": "3",
    });
    const { headers, rawHeaders } = await gateway.upstream.request();
    expect(headers).toMatchObject({
      "x-many": "a, 7",
      "x-kept": "old, added",
      "x-set": "$host-7--127.0.0.1",
      "x-list": "1, 2",
      "x-fields": "old, added",
    });
    expect(rawHeaders.filter((name) => name === "X-Many")).toHaveLength(2);
    for (const name of ["x-gone", "x-client", "x-empty"]) expect(headers).not.toHaveProperty(name);
  });

  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are templates of the gateway

  it("takes a map as fields to set, one of them named like an operation", async () => {
    await using gateway = await gatewayWith(proxyRewrite, { headers: { add: "text", "X-Number": 1 } });
    await gateway.get("/");
    expect((await gateway.upstream.request()).headers).toMatchObject({ add: "text", "x-number": "1" });
  });

  it("leaves the framing of a body alone", async () => {
    await using gateway = await gatewayWith(proxyRewrite, {
      method: "PUT",
      headers: { "Content-Length": "1", "Transfer-Encoding": "chunked" },
    });
    await gateway.send("/", { method: "POST", body: "hello" });
    const sent = await gateway.upstream.request();
    expect(sent).toMatchObject({ method: "PUT", headers: { "content-length": "5" } });
    expect(sent.body.toString()).toBe("hello");
  });

  it.each([
    ["pass", "new.example"],
    ["node", "127.0.0.1"],
    ["rewrite", "own.example"],
  ])("sets the Host of an upstream that passes it on: %s", async (passHost, host) => {
    await using upstream = await startEchoUpstream();
    const nodes = { [`127.0.0.1:${upstream.port}`]: 1 };
    await using gateway = await runGateway({
      plugins: [proxyRewrite],
      routes: {
        1: {
          uri: "/*",
          plugins: { "proxy-rewrite": { host: "new.example" } },
          upstream: { nodes, pass_host: passHost, ...(passHost === "rewrite" ? { upstream_host: "own.example" } : {}) },
        },
      },
    });
    await gateway.get("/", { Host: "old.example" });
    expect((await upstream.request()).headers.host?.split(":")[0]).toBe(host);
  });

  it("calls a function with the new path, query, method and fields", async () => {
    await using fn = await startEchoUpstream();
    await using gateway = await runGateway({
      plugins: [proxyRewrite, openfunction],
      routes: {
        1: {
          uri: "/*",
          plugins: {
            "proxy-rewrite": { regex_uri: ["^/old/(.*)", "/new/$1?v=2"], method: "PUT", headers: { "X-Name": "$1" } },
            openfunction: { function_uri: `${fn.origin}/default/fn` },
          },
        },
      },
    });
    expect((await gateway.get("/old/a%20b?q=1")).status).toBe(200);
    const sent = await fn.request();
    expect(sent).toMatchObject({ method: "PUT", url: "/default/fn/new/a%20b?v=2&q=1" });
    expect(sent.headers["x-name"]).toBe("a b");
  });
});
