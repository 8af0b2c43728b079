import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

/** A route's uri, the path of its `function_uri`, what a client asks for, and the function's request target or the gateway's own status. */
type Row = readonly [uri: string, base: string, request: string, expected: string | number];

const PATHS: readonly Row[] = [
  ["/hello", "/default/fn/test", "/hello", "/default/fn/test"],
  ["/hello/*", "/default/fn", "/hello/123", "/default/fn/123"],
  ["/hello/*", "/default/fn", "/hello/", "/default/fn/"],
  ["/hello/*", "/default/fn", "/hello", 404],
  ["/hello/*", "/default/fn/", "/hello/123", "/default/fn/123"],
  ["/hello/*", "/default/fn/", "/hello/", "/default/fn/"],
  ["/hello", "/default/fn/", "/hello", "/default/fn/"],
  ["/hello/*", "", "/hello/openfunction", "/openfunction"],
  ["/hello/*", "", "/hello/", "/"],
  ["/hello", "", "/hello", "/"],
  ["/hello", "/", "/hello?x=1", "/?x=1"],
  ["/*", "/fn", "/", "/fn/"],
  ["/*", "/fn", "/a/b", "/fn/a/b"],
  ["/hello*", "/fn", "/hello/123", "/fn"],
  ["/hello*", "/fn", "/hello", "/fn"],
  ["/hello*", "/fn", "/helloX", "/fn"],
  ["/q/*", "/p?key=1#f", "/q/zz?y=2", "/p/zz?y=2"],
  ["/hello/*", "/fn", "/hello//a///b", "/fn/a/b"],
  ["/hello/*", "/fn", "/hello/./x/../y", "/fn/y"],
  ["/hello/*", "/fn", "/hello/a%2Fb", "/fn/a/b"],
  ["/hello/*", "/fn", "/hello/a;b=1", "/fn/a;b=1"],
  ["/hello/*", "/fn", "/hello/%2e%2e/z", 404],
  ["/hello/*", "/fn", "/hello/%E4%BD%A0", "/fn/%E4%BD%A0"],
  ["/hello/*", "/fn", "/hello/100%25", "/fn/100%25"],
  ["/hello/*", "/fn", "/hello/a%252Fb", "/fn/a%252Fb"],
  ["/hello/*", "/fn", "/hello/a%20b", "/fn/a%20b"],
  ["/hello/*", "/fn", "/hello/%3F%23%3C%3E%60", "/fn/%3F%23%3C%3E%60"],
  ["/hello/*", "/fn", "/hello/a%0Ab", "/fn/a%0Ab"],
  ["/hello/*", "/fn", "/hello/a%00b", 400],
  ["/hello/*", "/fn", "/hello/%zz", 400],
  ["/hello/*", "/api/http/trigger", "/hello////http", "/api/http/trigger/http"],
  ["/hello", "/a+b |[x]%7e%2f/你", "/hello", "/a%2Bb%20%7C%5Bx%5D~%2F/%E4%BD%A0"],
  ["/hello", "//double//slashes//", "/hello", "//double//slashes//"],
];

const QUERIES = [
  ["a=1&b=2&a=3", "a=1&b=2&a=3"],
  ["s=a+b%20c", "s=a%20b%20c"],
  ["flag&e=", "flag&e="],
  ["=a&b=&&c&=", "b=&c"],
  ["d==e", "d=%3De"],
  ["a=%zz", "a=%25zz"],
  ["x=a/b:c@d[]", "x=a%2Fb%3Ac%40d%5B%5D"],
  ["k=-._~!'()*", "k=-._~!'()*"],
  ["=only", ""],
] as const;

/** Rows under the gateway-wide URI options, on routes with parameters. */
const OPTION_ROWS: readonly Row[] = [
  ["/u/:id/*", "/fn", "/u/7/a/b", "/fn/a/b"],
  ["/u/:id", "/fn", "/u/7", "/fn"],
  ["/hello/*rest", "/fn", "/hello/a", "/fn"],
  ["/hello/*", "/fn", "/hello/a%2Fb", "/fn/a%2Fb"],
  ["/hello/*", "/fn", "/hello/a%252Fb", "/fn/a%252Fb"],
  ["/hello/*", "/fn", "/hello/a/", "/fn/a"],
  ["/hello/*", "/fn", "/hello/", 404],
];

/** Each row has a host of its own, so that one gateway serves them all at once. */
async function routeRows(gateway: Gateway, recorder: Recorder, rows: readonly Row[]): Promise<void> {
  const routes = rows.map(([uri, base], index) => [
    `row-${index}`,
    {
      uri,
      hosts: [`row-${index}.test`],
      plugins: { openfunction: { function_uri: `http://127.0.0.1:${recorder.port}${base}` } },
    },
  ]);
  await gateway.route(Object.fromEntries(routes));
}

async function outcomeOf(gateway: Gateway, recorder: Recorder, asked: { request: string; index: number }) {
  const fields = [`Host: row-${asked.index}.test`];
  const response = await exchange(gateway.port, { target: asked.request, fields });
  if (recorder.requests.length === 0) return response.status;
  return targetOf(recorder.requests[0]?.requestLine);
}

/** The target of a request line; a bare `?` at its end means nothing. */
function targetOf(requestLine: string | undefined): string {
  return (requestLine?.split(" ")[1] ?? "").replace(/\?$/, "");
}

describe.each(MODES)("what an openfunction call asks for (%s)", (mode) => {
  let gateway: Gateway;
  let recorder: Recorder;

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startGateway(mode);
    await routeRows(gateway, recorder, PATHS);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await recorder[Symbol.asyncDispose]();
  });
  beforeEach(() => recorder.reset());

  it.each(PATHS.map(([uri, base, request, expected], index) => ({ uri, base, request, expected, index })))(
    "$uri and function path '$base': $request becomes $expected",
    async ({ expected, ...asked }) => {
      expect(await outcomeOf(gateway, recorder, asked)).toBe(expected);
    },
  );

  it.each(QUERIES)("writes the query %s as '%s'", async (query, expected) => {
    await exchange(gateway.port, { target: `/hello/1?${query}`, fields: ["Host: row-1.test"] });
    expect(targetOf(recorder.requests[0]?.requestLine)).toBe(
      expected === "" ? "/default/fn/1" : `/default/fn/1?${expected}`,
    );
  });

  it("keeps every argument of a long query", async () => {
    const query = Array.from({ length: 500 }, (_, index) => `k${index}=${index}`).join("&");
    await exchange(gateway.port, { target: `/hello/1?${query}`, fields: ["Host: row-1.test"] });
    expect(targetOf(recorder.requests[0]?.requestLine)).toBe(`/default/fn/1?${query}`);
  });

  it.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"])(
    "copies the method %s",
    async (method) => {
      await exchange(gateway.port, { method, target: "/hello/1", fields: ["Host: row-1.test"] });
      expect(recorder.requests[0]?.requestLine.replace("? ", " ")).toBe(`${method} /default/fn/1 HTTP/1.1`);
    },
  );

  it.each(["TRACE", "CONNECT"])("refuses the method %s itself", async (method) => {
    const response = await exchange(gateway.port, { method, target: "/hello/1", fields: ["Host: row-1.test"] });
    expect(response.status).toBe(405);
    expect(recorder.requests).toEqual([]);
  });
});

describe("what an openfunction call asks for under the gateway's URI options", () => {
  let gateway: Gateway;
  let recorder: Recorder;

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startGateway("embedded", {
      apisix: {
        router: { http: "radixtree_uri_with_parameter" },
        delete_uri_tail_slash: true,
        match_uri_encoded_slash: true,
      },
    });
    await routeRows(gateway, recorder, OPTION_ROWS);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await recorder[Symbol.asyncDispose]();
  });
  beforeEach(() => recorder.reset());

  it.each(OPTION_ROWS.map(([uri, base, request, expected], index) => ({ uri, base, request, expected, index })))(
    "$uri and function path '$base': $request becomes $expected",
    async ({ expected, ...asked }) => {
      expect(await outcomeOf(gateway, recorder, asked)).toBe(expected);
    },
  );
});
