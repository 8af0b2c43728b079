import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, MODES, startGateway } from "../support/gateway.ts";
import { exchange } from "../support/raw-client.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

/** What `proxy-rewrite` says, and what the function gets with the switch left out and off. */
const ROWS = [
  { name: "uri", rewrite: { uri: "/new" }, on: { target: "/fn/new?q=1" }, off: {} },
  {
    name: "regex-uri",
    rewrite: { regex_uri: ["^/old/(.*)", "/new/$1?v=2"] },
    on: { target: "/fn/new/a%20b?v=2&q=1" },
    off: {},
  },
  { name: "host", rewrite: { host: "new.example" }, on: { host: "new.example" }, off: {} },
  { name: "method", rewrite: { method: "PUT" }, on: { method: "PUT" }, off: { method: "PUT" } },
  {
    name: "headers",
    rewrite: { headers: { set: { "X-Own": "gateway" } } },
    on: { own: "gateway" },
    off: { own: "gateway" },
  },
];

const UNCHANGED = { method: "GET", target: "/fn/a%20b?q=1", host: "127.0.0.1", own: "client" };

describe.each(MODES)("a function behind proxy-rewrite (%s)", (mode) => {
  describe.each(["left out", false])("with fngate.rewrite_function_target %s", (setting) => {
    let gateway: Gateway;
    let recorder: Recorder;

    beforeAll(async () => {
      recorder = await startRecorder();
      const fngate = setting === false ? { rewrite_function_target: false } : {};
      gateway = await startGateway(mode, { fngate });
      const routes = ROWS.map(({ name, rewrite }) => [
        name,
        {
          uri: "/old/*",
          host: `${name}.test`,
          plugins: {
            "proxy-rewrite": rewrite,
            openfunction: { function_uri: `http://127.0.0.1:${recorder.port}/fn` },
          },
        },
      ]);
      await gateway.route(Object.fromEntries(routes));
    });
    afterAll(async () => {
      await gateway[Symbol.asyncDispose]();
      await recorder[Symbol.asyncDispose]();
    });
    beforeEach(() => recorder.reset());

    it.each(ROWS)("is called with what becomes of its $name", async ({ name, off, on }) => {
      const fields = [`Host: ${name}.test`, "X-Own: client"];
      await exchange(gateway.port, { target: "/old/a%20b?q=1", fields });
      const [request] = recorder.requests;
      const [method, target] = request?.requestLine.split(" ") ?? [];
      const sent = Object.fromEntries(request?.fields ?? []);
      expect({ method, target, host: sent["host"], own: sent["x-own"] }).toEqual({
        ...UNCHANGED,
        ...(setting === false ? off : on),
      });
    });
  });
});
