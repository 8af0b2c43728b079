/**
 * `pnpm e2e:compose [--provide-engine] [--if-possible] [--keep]`: builds the compose demo and brings it up with the
 * README's command, runs the documented tour through both data planes, then kills and restarts etcd, a data plane and
 * the control plane one after the other under continuous traffic. No request may fail, except on the data plane that is
 * down at the time. Where no container engine can be had it fails; with `--if-possible` it says so loudly instead.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Engine, findEngine } from "./engine.ts";
import { findBaseImages } from "./images.ts";
import { fail, output, print, run } from "./shell.ts";
import { Traffic } from "./traffic.ts";

const KEY = "edd1c9f034335f136f87ad84b625c8f1";
const SERVICES = ["etcd", "sample-function", "control-plane", "data-plane-1", "data-plane-2", "prometheus"];
const DATA_PLANES = ["http://127.0.0.1:9080", "http://127.0.0.1:9081"];

const { values } = parseArgs({
  options: {
    "provide-engine": { type: "boolean", default: false },
    "if-possible": { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const root = join(import.meta.dirname, "../..");
const counts = { passed: 0, failed: 0 };
const engine = await requireEngine();
const files = ["-f", join(root, "docker/compose.yaml"), "-f", join(import.meta.dirname, "build.yaml")];
const compose = [...engine.compose, "-p", "fngate-e2e", ...files];

/** How the README brings the demo up with this engine's compose. */
function upCommand(): readonly string[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, args] = new RegExp(`${engine.compose.join(" ")} -f docker/compose\\.yaml (up [-\\w ]+)`).exec(readme) ?? [];
  if (args === undefined) fail(`README.md does not say how ${engine.compose.join(" ")} brings the demo up`);
  return args.trim().split(" ");
}

async function requireEngine(): Promise<Engine> {
  const found = await findEngine(values["provide-engine"]);
  if (typeof found !== "string") return found;
  if (!values["if-possible"]) fail(found);
  const line = "#".repeat(80);
  print(`\n${line}\n## NOT RUN: the compose demo. ${found}\n${line}\n\n0 passed, 0 failed`);
  process.exit(0);
}

/** One thing to be shown; a failure is printed and the next step still runs. */
async function step(title: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
    counts.passed += 1;
    print(`ok      ${title}`);
  } catch (error) {
    counts.failed += 1;
    print(`FAILED  ${title}\n        ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function eventually<T>(what: string, probe: () => Promise<T>, deadlineMs = 60_000): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function container(service: string): string {
  return output([...compose, "ps", "-q", service]);
}

async function untilHealthy(services: readonly string[]): Promise<void> {
  for (const service of services) {
    const format = "{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}";
    await eventually(service, async () => {
      const state = output(["docker", "inspect", "-f", format, container(service)]);
      assert.match(state, /^(healthy|running)$/);
    });
  }
}

/** A write through the documented address; `curl`, because that is what the document's reader types. */
function put(id: string, route: object): void {
  const body = JSON.stringify(route);
  const url = `http://127.0.0.1:9080/apisix/admin/routes/${id}`;
  output(["curl", "-sS", "--fail-with-body", url, "-H", `X-API-KEY: ${KEY}`, "-X", "PUT", "-d", body]);
}

function functionRoute(uri: string, functionUri: string): object {
  const authorization = { service_token: "test:test" };
  return { uri, plugins: { openfunction: { function_uri: functionUri, authorization } } };
}

async function answers(path: string, status: number, body?: string): Promise<void> {
  for (const plane of DATA_PLANES) {
    await eventually(`${plane}${path}`, async () => {
      const response = await fetch(plane + path);
      const text = await response.text();
      assert.equal(response.status, status, text);
      if (body !== undefined) assert.equal(text, body);
    });
  }
}

async function tour(): Promise<void> {
  const base = "http://localhost:3233/default/function-sample";
  await step("PUT /hello on port 9080, answered through both data planes", async () => {
    put("1", functionRoute("/hello", `${base}/test`));
    await answers("/hello", 200, "Hello, test!");
  });
  await step("/hello/* forwards the path", async () => {
    put("1", functionRoute("/hello/*", base));
    await answers("/hello/123", 200, "Hello, 123!");
    await answers("/hello", 404);
  });
  await step("a plain upstream under the same id disables the plugin", async () => {
    put("1", {
      methods: ["GET"],
      uri: "/index.html",
      upstream: { type: "roundrobin", nodes: { "127.0.0.1:1980": 1 } },
    });
    await answers("/hello/123", 404);
    await answers("/index.html", 502);
  });
  await step("the Admin API answers on its usual port 9180 too", async () => {
    const response = await fetch("http://127.0.0.1:9180/apisix/admin/routes/1", { headers: { "x-api-key": KEY } });
    assert.equal(response.status, 200);
  });
  await step("another container does not reach the Admin API", async () => {
    const probe =
      "wget=$(exec 3<>/dev/tcp/gateway/9080; printf 'GET /apisix/admin/routes HTTP/1.0\\r\\nHost: x\\r\\nX-API-KEY: $0\\r\\n\\r\\n' >&3; head -n 1 <&3); echo $wget";
    const line = output(["docker", "exec", container("prometheus"), "bash", "-c", probe.replace("$0", KEY)]);
    assert.match(line, / 404 /);
  });
}

async function outage(service: string, traffic: readonly Traffic[], own?: Traffic): Promise<void> {
  const id = container(service);
  await step(
    `${service} killed and restarted: no data-plane request fails${own ? " on the other one" : ""}`,
    async () => {
      const before = traffic.map(({ served }) => served);
      if (own !== undefined) own.mayFail = true;
      run(["docker", "kill", id]);
      await moreTraffic(
        traffic.filter((one) => one !== own),
        100,
      );
      run(["docker", "start", id]);
      await untilHealthy([service]);
      if (own !== undefined) {
        await eventually(own.name, async () => assert.equal((await fetch(`${DATA_PLANES[1]}/steady/x`)).status, 200));
        own.mayFail = false;
      }
      await moreTraffic(traffic, 100);
      const failures = traffic.flatMap((one) =>
        one.takeFailures().map((failure) => `${one.name} ${failure.at} ${failure.what}`),
      );
      assert.deepEqual(failures, []);
      print(
        `        served meanwhile: ${traffic.map((one, index) => `${one.name} ${one.served - (before[index] ?? 0)}`).join(", ")}`,
      );
    },
  );
  await step(`after ${service} is back, a change reaches both data planes`, async () => {
    const name = `after-${service}-${counts.passed}`;
    await eventually("PUT", async () => put("changing", functionRoute("/changing", `http://localhost:3233/${name}`)));
    await answers("/changing", 200, `Hello, ${name}!`);
  });
}

async function moreTraffic(traffic: readonly Traffic[], requests: number): Promise<void> {
  const goals = traffic.map((one) => one.served + requests);
  await eventually("traffic", async () => {
    for (const [index, one] of traffic.entries())
      assert.ok(one.served >= (goals[index] ?? 0), `${one.name} stands still`);
  });
}

async function outages(): Promise<void> {
  put("steady", functionRoute("/steady/*", "http://localhost:3233/"));
  await answers("/steady/x", 200, "Hello, x!");
  const traffic = DATA_PLANES.map(
    (plane, index) => new Traffic(`data-plane-${index + 1}`, `${plane}/steady/x`, "Hello, x!"),
  );
  try {
    await outage("etcd", traffic);
    await outage("control-plane", traffic);
    await outage("data-plane-2", traffic, traffic[1]);
  } finally {
    await Promise.all(traffic.map((one) => one.stop()));
  }
}

async function prometheus(): Promise<void> {
  await step("Prometheus scrapes both data planes", () =>
    eventually("targets", async () => {
      const query = encodeURIComponent("sum by (instance) (apisix_http_requests_total)");
      const answer = await fetch(`http://127.0.0.1:9090/api/v1/query?query=${query}`);
      const { data } = (await answer.json()) as { data: { result: unknown[] } };
      assert.equal(data.result.length, 2);
    }),
  );
}

try {
  print(`using ${engine.compose.join(" ")}`);
  run([...compose, ...upCommand()], findBaseImages());
  await step("every service becomes healthy", () => untilHealthy(SERVICES));
  await step("no process of the gateway runs as root", async () => {
    for (const service of ["control-plane", "data-plane-1", "data-plane-2", "sample-function"]) {
      assert.notEqual(output(["docker", "exec", container(service), "id", "-u"]), "0");
    }
  });
  await tour();
  await outages();
  await prometheus();
  if (counts.failed > 0) run([...compose, "logs", "--tail", "40"]);
} finally {
  if (!values.keep) {
    run([...compose, "down", "--volumes", "--timeout", "20"]);
    await engine.stop();
  }
}
print(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
