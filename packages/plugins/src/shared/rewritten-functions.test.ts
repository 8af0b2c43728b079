import { runGateway } from "@fngate/data-plane/testing";
import type { PluginDefinition } from "@fngate/plugin-kit";
import { startEchoUpstream } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { awsLambda } from "../aws-lambda/index.ts";
import { azureFunctions } from "../azure-functions/index.ts";
import { openfunction } from "../openfunction/index.ts";
import { openwhisk } from "../openwhisk/index.ts";
import { proxyRewrite } from "../proxy-rewrite/index.ts";

/** How a function is called: the switch, and what `proxy-rewrite` is told. */
interface Scene {
  readonly isRewritten: boolean | undefined;
  readonly rewrite: Readonly<Record<string, unknown>>;
}

/** The call that a function sees when `POST /old/a%20b?q=1` with `X-Own: client` matches the route `/old/*`. */
async function calledBy(plugin: PluginDefinition, config: (origin: string) => object, scene: Scene) {
  await using fn = await startEchoUpstream();
  await using gateway = await runGateway({
    plugins: [proxyRewrite as PluginDefinition, plugin],
    routes: {
      1: { uri: "/old/*", plugins: { "proxy-rewrite": scene.rewrite, [plugin.name]: config(fn.origin) } },
    },
    ...(scene.isRewritten === undefined ? {} : { options: { areFunctionTargetsRewritten: scene.isRewritten } }),
  });
  await gateway.send("/old/a%20b?q=1", { method: "POST", headers: { Host: "client.example", "X-Own": "client" } });
  const { headers, method, url } = await fn.request();
  return { method, url, host: headers.host, own: headers["x-own"] };
}

const UNCHANGED = { method: "POST", url: "/fn/a%20b?q=1", host: "127.0.0.1", own: "client" };

/** What `proxy-rewrite` is told, and what it changes with the switch on and off. */
const REWRITES = [
  { name: "nothing", rewrite: { headers: { remove: ["x-none"] } }, on: {}, off: {} },
  { name: "uri", rewrite: { uri: "/new/$arg_q?v=2" }, on: { url: "/fn/new/1?v=2&q=1" }, off: {} },
  { name: "regex_uri", rewrite: { regex_uri: ["^/old/(.*)", "/new/$1"] }, on: { url: "/fn/new/a%20b?q=1" }, off: {} },
  { name: "host", rewrite: { host: "new.example:81" }, on: { host: "new.example:81" }, off: {} },
  { name: "method", rewrite: { method: "PUT" }, on: { method: "PUT" }, off: { method: "PUT" } },
  {
    name: "headers",
    rewrite: { headers: { set: { "X-Own": "gateway" } } },
    on: { own: "gateway" },
    off: { own: "gateway" },
  },
];

const FUNCTIONS: readonly PluginDefinition[] = [
  openfunction as PluginDefinition,
  azureFunctions as PluginDefinition,
  awsLambda as PluginDefinition,
];

describe.each(FUNCTIONS)("a call of $name behind proxy-rewrite", (plugin) => {
  const config = (origin: string) => ({ function_uri: `${origin}/fn` });

  it.each(REWRITES)("has its $name changed by default", async ({ on, rewrite }) => {
    expect(await calledBy(plugin, config, { rewrite, isRewritten: undefined })).toEqual({ ...UNCHANGED, ...on });
  });

  it.each(REWRITES)("is APISIX's where targets are not to be rewritten: $name", async ({ off, rewrite }) => {
    expect(await calledBy(plugin, config, { rewrite, isRewritten: false })).toEqual({ ...UNCHANGED, ...off });
  });
});

describe.each([true, false])("a call of openwhisk behind proxy-rewrite, targets rewritten: %s", (isRewritten) => {
  it.each(REWRITES)("is the same whatever is said of $name", async ({ rewrite }) => {
    const config = (origin: string) => ({ api_host: origin, service_token: "u:p", namespace: "n", action: "a" });
    const seen = await calledBy(openwhisk as PluginDefinition, config, { rewrite, isRewritten });
    expect(seen).toEqual({
      method: "POST",
      url: "/api/v1/namespaces/n/actions/a?blocking=true&result=true&timeout=3000",
      host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      own: undefined,
    });
  });
});
