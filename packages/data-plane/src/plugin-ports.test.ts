import { once } from "node:events";
import { connect } from "node:net";
import {
  compileTemplate,
  definePlugin,
  type LogContext,
  type PluginDefinition,
  type PluginDeps,
  type PluginInstance,
  type PluginUpstream,
  wholeBody,
} from "@fngate/plugin-kit";
import { eventually, freePorts, startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { runGateway } from "./testing/run-gateway.ts";

type SetUp = (config: Readonly<Record<string, unknown>>, deps: PluginDeps) => PluginInstance;

function plugin(name: string, setup: SetUp, more: Partial<PluginDefinition> = {}): PluginDefinition {
  const schema = z.looseObject({});
  return definePlugin({ name, version: 0.1, priority: 1, schema, ...more, setup }) as PluginDefinition;
}

/** A route for every path with these plugins. */
const everyPath = (plugins: object, more: object = {}) => ({ 1: { uri: "/*", plugins, ...more } });

describe("beforeProxy", () => {
  test("runs before every attempt, and what it changes holds for that attempt on", async () => {
    const seen: string[] = [];
    const counting = plugin("counting", () => ({
      beforeProxy: ({ request, variables }) => {
        seen.push(String(variables.get("balancer_port")));
        request.headers.set("X-Attempt", String(seen.length));
      },
    }));
    await using upstream = await startEchoUpstream();
    const [dead = 0] = await freePorts(1);
    const nodes = [
      { host: "127.0.0.1", port: dead, weight: 1, priority: 1 },
      { host: "127.0.0.1", port: upstream.port, weight: 1, priority: 0 },
    ];
    await using gateway = await runGateway({
      plugins: [counting],
      routes: everyPath({ counting: {} }, { upstream: { nodes } }),
    });
    expect((await gateway.get("/")).status).toBe(200);
    expect(seen).toEqual([String(dead), String(upstream.port)]);
    expect((await upstream.request()).headers["x-attempt"]).toBe("2");
  });

  test("answers in place of the upstream before the first attempt", async () => {
    const answering = plugin("answering", () => ({
      beforeProxy: async () => ({ kind: "reply", status: 202, body: "instead" }),
    }));
    await using gateway = await runGateway({ plugins: [answering], routes: everyPath({ answering: {} }) });
    expect(await gateway.get("/")).toMatchObject({ status: 202, body: "instead" });
    expect(gateway.upstream.started).toBe(0);
  });

  test("runs before a tunnel is opened, and may answer instead", async () => {
    const guard = plugin("guard", () => ({
      beforeProxy: ({ request }) =>
        request.headers.has("x-pass") ? undefined : { kind: "reply", status: 403, body: "no" },
    }));
    await using gateway = await runGateway({
      plugins: [guard],
      routes: everyPath({ guard: {} }, { enable_websocket: true }),
    });
    const headers = { Connection: "Upgrade", Upgrade: "websocket" };
    expect(await upgradeStatus(gateway.portOf(), headers)).toBe("403");
    expect(gateway.upstream.started).toBe(0);
    expect(await upgradeStatus(gateway.portOf(), { ...headers, "X-Pass": "1" })).not.toBe("403");
    expect(gateway.upstream.started).toBe(1);
  });
});

/** Asks for an upgrade and returns the status of the answer. */
async function upgradeStatus(port: number, headers: Readonly<Record<string, string>>): Promise<string | undefined> {
  const socket = connect(port, "127.0.0.1");
  const fields = Object.entries({ Host: "x", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`GET / HTTP/1.1\r\n${fields.join("")}\r\n`);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return chunk.toString().split(" ")[1];
}

describe("context.upstream", () => {
  test("an upstream by id, an inline one, and the route's own again", async () => {
    await using named = await startEchoUpstream({ reply: { body: "named" } });
    await using inline = await startEchoUpstream({ reply: { body: "inline" } });
    const choosing = plugin("choosing", (_config, { upstreams }) => {
      const compiled: PluginUpstream = upstreams.compile({ nodes: { [`127.0.0.1:${inline.port}`]: 1 } });
      return {
        access: ({ request, upstream }) => {
          const steps: Readonly<Record<string, readonly (string | PluginUpstream | undefined)[]>> = {
            "/named": ["9"],
            "/missing": ["10"],
            "/inline": [compiled],
            "/back": [compiled, undefined],
          };
          const used = (steps[request.path] ?? []).map((step) => upstream.use(step));
          request.headers.set("X-Used", used.join());
        },
        dispose: () => compiled.release(),
      };
    });
    await using gateway = await runGateway({
      plugins: [choosing],
      routes: everyPath({ choosing: {} }),
      upstreams: { 9: { nodes: { [`127.0.0.1:${named.port}`]: 1 } } },
      upstream: { body: "own" },
    });
    const bodies = ["/named", "/missing", "/inline", "/back"].map(async (path) => (await gateway.get(path)).body);
    expect(await Promise.all(bodies)).toEqual(["named", "own", "inline", "own"]);
    expect(gateway.upstream.requests.map(({ headers }) => headers["x-used"]).toSorted()).toEqual([
      "false",
      "true,true",
    ]);
  });

  test("an upstream that is switched off leaves the answer to a beforeProxy, or else to 503", async () => {
    const off = plugin("off", () => ({
      access: ({ upstream }) => {
        upstream.isDisabled = true;
      },
    }));
    const answer = plugin("answer", () => ({ beforeProxy: () => ({ kind: "reply", status: 200, body: "mine" }) }));
    await using gateway = await runGateway({
      plugins: [off, answer],
      routes: { 1: { uri: "/a", plugins: { off: {}, answer: {} } }, 2: { uri: "/b", plugins: { off: {} } } },
    });
    expect(await gateway.get("/a")).toMatchObject({ status: 200, body: "mine" });
    expect((await gateway.get("/b")).status).toBe(503);
    expect(gateway.upstream.started).toBe(0);
  });
});

test("the log phase sees both bodies up to the bound, and every attempt", async () => {
  const logs: { bodies: (string | undefined)[]; attempts: LogContext["attempts"] }[] = [];
  const watching = plugin("watching", () => ({
    rewrite: (context) => {
      context.capture("request", 4);
      context.capture("response", 6);
    },
    log: (context) => {
      const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
      const bodies = [textOf(context.captured("request")), textOf(context.captured("response"))];
      logs.push({ bodies, attempts: context.attempts });
      return undefined;
    },
  }));
  await using upstream = await startEchoUpstream({ reply: { chunks: ["answer ", "body"] } });
  const [dead = 0] = await freePorts(1);
  const nodes = [
    { host: "127.0.0.1", port: dead, weight: 1, priority: 1 },
    { host: "127.0.0.1", port: upstream.port, weight: 1, priority: 0 },
  ];
  await using gateway = await runGateway({
    plugins: [watching],
    routes: everyPath({ watching: {} }, { upstream: { nodes } }),
  });
  expect(await gateway.send("/", { method: "POST", body: "request body" })).toMatchObject({ body: "answer body" });
  await eventually(() => expect(logs).toHaveLength(1));
  expect(logs[0]?.bodies).toEqual(["requ", "answer"]);
  expect(logs[0]?.attempts.map(({ address, status }) => [address, status])).toEqual([
    [`127.0.0.1:${dead}`, 502],
    [`127.0.0.1:${upstream.port}`, 200],
  ]);
});

describe("deps", () => {
  test("http calls a service, and dispatch sends a request through the gateway itself", async () => {
    await using service = await startEchoUpstream({ reply: { status: 201, body: "from the service" } });
    const calling = plugin("calling", (_config, { gateway, http }) => ({
      async access(context) {
        if (context.request.path === "/inner") return undefined;
        const called = await http.call({ method: "GET", url: `${service.origin}/x`, timeoutMs: 5_000 });
        const headers = ["X-Inner", "1"];
        const inner = await gateway.dispatch(context, { method: "GET", target: "/inner", headers, timeoutMs: 5_000 });
        const texts = [called.body, inner.body].map((body) => Buffer.from(body).toString());
        return { kind: "reply", status: called.status, body: texts.join(" and ") };
      },
    }));
    await using gateway = await runGateway({
      plugins: [calling],
      routes: everyPath({ calling: {} }),
      upstream: { body: "from the route" },
    });
    expect(await gateway.get("/")).toMatchObject({ status: 201, body: "from the service and from the route" });
    expect((await gateway.upstream.request()).headers["x-inner"]).toBe("1");
  });

  test("shared keeps state while configurations come and go, metrics show it, and metadata is the newest", async () => {
    const ended: number[] = [];
    const counting = plugin("counting", (_config, { metadata, metrics, shared }) => {
      const state = shared.acquire(
        "count",
        () => ({ count: 0 }),
        ({ count }) => ended.push(count),
      );
      const total = metrics.counter("my_requests_total", { help: "Mine.", labels: ["path"] });
      return {
        access: ({ request }) => {
          state.value.count += 1;
          total.inc({ path: request.path });
          const word: unknown = Reflect.get(Object(metadata.current), "word");
          return { kind: "reply", status: 200, body: `${word} ${state.value.count}` };
        },
        dispose: () => state.release(),
      };
    });
    await using gateway = await runGateway({
      plugins: [counting],
      routes: everyPath({ counting: {} }),
      pluginMetadata: { counting: { word: "old" } },
    });
    expect((await gateway.get("/a")).body).toBe("old 1");
    await gateway.put("plugin_metadata/counting", { id: "counting", word: "new" });
    await gateway.put("routes/1", { uri: "/*", plugins: { counting: { other: true } } });
    expect((await gateway.get("/a")).body).toBe("new 2");
    expect((await gateway.plane.renderMetrics()).body).toContain('my_requests_total{path="/a"} 2');
    expect(ended).toEqual([]);
    await gateway.remove("routes/1");
    expect(ended).toEqual([2]);
  });

  test("plugins sets up another plugin, whose phases the first one runs", async () => {
    const inner = plugin("inner", ({ text }) => ({
      access: () => ({ kind: "reply", status: 200, body: String(text) }),
    }));
    const outer = plugin("outer", (config, { owner, plugins }) => {
      const nested = plugins.setUp("inner", config["inner"], owner);
      return { access: (context) => nested.instance.access?.(context), dispose: () => nested.instance.dispose?.() };
    });
    await using gateway = await runGateway({
      plugins: [inner, outer],
      routes: everyPath({ outer: { inner: { text: "inside" } } }),
    });
    expect((await gateway.get("/")).body).toBe("inside");
  });
});

test("a whole body is changed with the right framing, and a template is filled in", async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is a template of the gateway
  const template = compileTemplate("$request_method of ${arg_who ?? nobody}: \\$");
  const changing = plugin("changing", () => ({
    bodyFilter: ({ variables }) =>
      wholeBody({ maxBytes: 100, change: async (body) => `${template.render(variables)}${body.toString()}` }),
  }));
  await using gateway = await runGateway({
    plugins: [changing],
    routes: everyPath({ changing: {} }),
    upstream: { headers: { "content-length": "3" }, body: "old" },
  });
  expect((await gateway.get("/")).body).toBe("GET of nobody: $old");
  const answer = await gateway.get("/?who=jack");
  expect(answer.body).toBe("GET of jack: $old");
  expect(answer.headers).not.toHaveProperty("content-length");
});

describe("plugins of whoever calls", () => {
  const user = plugin(
    "user",
    (_config, { consumers }) => ({
      rewrite: (context) => {
        const name = context.request.headers.get("x-user") ?? "";
        const consumer = consumers.findByName(context, name);
        if (consumer !== undefined) context.attachConsumer(consumer);
      },
    }),
    { type: "auth" },
  );
  const tagging = (name: string): PluginDefinition =>
    plugin(name, ({ from }) => ({
      rewrite: ({ request }) => request.headers.append(`X-${name}`, `rewrite ${String(from)}`),
      access: ({ request }) => request.headers.append(`X-${name}`, `access ${String(from)}`),
    }));

  test("are laid over: consumer, group, route, plugin config, service; each whole, and late rewrites run once", async () => {
    const all = (from: string, ...names: string[]) => Object.fromEntries(names.map((name) => [name, { from }]));
    await using gateway = await runGateway({
      plugins: [user, ...["a", "b", "c", "d", "e"].map(tagging)],
      services: { s: { plugins: all("service", "a", "b", "c", "d", "e") } },
      pluginConfigs: { p: { plugins: all("config", "a", "b", "c", "d") } },
      consumerGroups: { g: { plugins: all("group", "a", "b") } },
      consumers: { jack: { group_id: "g", plugins: all("consumer", "a") }, jill: { plugins: {} } },
      routes: {
        1: {
          uri: "/*",
          service_id: "s",
          plugin_config_id: "p",
          plugins: { user: {}, ...all("route", "a", "b", "c") },
          upstream: { nodes: {} },
        },
      },
      hasFindings: true,
    });
    await gateway.put("upstreams/u", { id: "u", nodes: { [`127.0.0.1:${gateway.upstream.port}`]: 1 } });
    await gateway.put("routes/1", {
      uri: "/*",
      service_id: "s",
      plugin_config_id: "p",
      upstream_id: "u",
      plugins: { user: {}, ...all("route", "a", "b", "c") },
    });
    const tagsOf = async (name: string): Promise<unknown[]> => {
      await gateway.get("/", { "x-user": name });
      const headers = gateway.upstream.requests.at(-1)?.headers ?? {};
      return ["a", "b", "c", "d", "e"].map((tag) => headers[`x-${tag}`]);
    };
    expect(await tagsOf("jack")).toEqual([
      "rewrite route, access consumer",
      "rewrite route, access group",
      "rewrite route, access route",
      "rewrite config, access config",
      "rewrite service, access service",
    ]);
    expect(await tagsOf("jill")).toEqual(
      ["route", "route", "route", "config", "service"].map((from) => `rewrite ${from}, access ${from}`),
    );
  });
});
