import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { silentLogger } from "@fngate/kernel";
import { type SampleFunction, startSampleFunction } from "@fngate/sample-function";
import { eventually } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";

const run = promisify(execFile);

/** The ports that the openfunction plugin's documentation has. */
const DOCUMENTED = { gateway: 9080, fn: 3233, upstream: 1980 };

/** The documented commands; only their ports are put in the place of those that the machine had free. */
const CREATE = `curl -s http://127.0.0.1:9080/apisix/admin/routes/1 -H 'X-API-KEY: edd1c9f034335f136f87ad84b625c8f1' -X PUT -d '
{
    "uri": "/hello",
    "plugins": {
        "openfunction": {
            "function_uri": "http://localhost:3233/default/function-sample/test",
            "authorization": {
                "service_token": "test:test"
            }
        }
    }
}'`;
const CALL = "curl -s -i http://127.0.0.1:9080/hello";
const CREATE_WITH_PATH = CREATE.replace('"/hello"', '"/hello/*"').replace("function-sample/test", "function-sample");
const CALL_WITH_PATH = "curl -s http://127.0.0.1:9080/hello/123";
const DISABLE = `curl -s http://127.0.0.1:9080/apisix/admin/routes/1 -H 'X-API-KEY: edd1c9f034335f136f87ad84b625c8f1' -X PUT -d '
{
    "methods": ["GET"],
    "uri": "/index.html",
    "plugins": {},
    "upstream": {
        "type": "roundrobin",
        "nodes": {
            "127.0.0.1:1980": 1
        }
    }
}'`;

describe.each(MODES)("the openfunction plugin's documentation, through the data plane's port (%s)", (mode) => {
  let gateway: Gateway;
  let fn: SampleFunction;
  let upstream: Server;

  beforeAll(async () => {
    fn = await startSampleFunction({ port: 0, logger: silentLogger });
    upstream = createServer((_, response) => response.end("plain upstream")).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    gateway = await startGateway(mode);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    upstream.close();
    await fn.stop();
  });

  /** Types a command; prints what curl prints. */
  async function type(command: string): Promise<string> {
    const ports = { gateway: gateway.port, fn: fn.port, upstream: (upstream.address() as AddressInfo).port };
    const typed = command
      .replaceAll(`:${DOCUMENTED.gateway}`, `:${ports.gateway}`)
      .replaceAll(`:${DOCUMENTED.fn}`, `:${ports.fn}`)
      .replaceAll(`:${DOCUMENTED.upstream}`, `:${ports.upstream}`);
    return (await run("bash", ["-c", typed])).stdout;
  }

  it("creates a route, calls the function, adds the path, and disables the plugin, each block as typed", async () => {
    expect(JSON.parse(await type(CREATE))).toMatchObject({
      key: "/apisix/routes/1",
      value: { id: "1", uri: "/hello", plugins: { openfunction: { function_uri: expect.any(String) } } },
    });
    const answer = await eventually(async () => {
      const text = await type(CALL);
      return text.includes("Hello, test!") ? text : Promise.reject(new Error(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.endsWith("\r\n\r\nHello, test!")).toBe(true);

    expect(JSON.parse(await type(CREATE_WITH_PATH))).toMatchObject({ value: { uri: "/hello/*" } });
    await eventually(async () => expect(await type(CALL_WITH_PATH)).toBe("Hello, 123!"));
    expect(await type(CALL)).toMatch(/^HTTP\/1\.1 404 /);

    expect(JSON.parse(await type(DISABLE))).toMatchObject({ value: { uri: "/index.html", methods: ["GET"] } });
    await eventually(async () => expect(await type("curl -s http://127.0.0.1:9080/index.html")).toBe("plain upstream"));
    expect(JSON.parse(await type(CALL_WITH_PATH))).toEqual({ error_msg: "404 Route Not Found" });
    const posted = await type("curl -s -o /dev/null -w '%{http_code}' -X POST http://127.0.0.1:9080/index.html");
    expect(posted).toBe("404");
  });

  it("refuses the Admin API on the data plane's port without the key", async () => {
    const status = await type("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9080/apisix/admin/routes/1");
    expect(status).toBe("401");
  });
});
