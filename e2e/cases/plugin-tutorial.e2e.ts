import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { eventually, freePorts, tempDirectory } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { runFngate } from "../support/run-fngate.ts";
import { ROOT } from "../support/steps.ts";

const run = promisify(execFile);

/** What the tutorial wants done, in its order. */
interface Step {
  readonly kind: string;
  readonly argument: string;
  readonly text: string;
}

function stepsOf(tutorial: string): readonly Step[] {
  const pattern = /<!-- (file|run|start)(?:: (.*?))? -->\n```\w+\n(.*?)```/gs;
  return [...tutorial.matchAll(pattern)].map(([, kind = "", argument = "", text = ""]) => ({ kind, argument, text }));
}

/** A folder outside of the repository whose shell knows the command `fngate`. */
class Workshop implements AsyncDisposable {
  readonly path: string;
  readonly #environment: NodeJS.ProcessEnv;
  #gateway: ChildProcess | undefined;

  constructor(path: string) {
    this.path = path;
    // biome-ignore lint/style/noProcessEnv: a command that is typed inherits the environment
    const terminal = process.env;
    const environment: NodeJS.ProcessEnv = {
      ...terminal,
      FNGATE_CONTROL_LISTEN: "127.0.0.1:0",
      APISIX_WORKER_PROCESSES: "1",
    };
    const inherited = Object.entries(environment).filter(([name]) => !/^(?:p?npm_|NODE_OPTIONS|VITEST)/i.test(name));
    const paths = [path, dirname(process.execPath), String(environment["PATH"])];
    this.#environment = { ...Object.fromEntries(inherited), PATH: paths.join(":") };
  }

  async install(): Promise<void> {
    const main = join(ROOT, "packages/cli/bin/fngate.js");
    const script = `#!/bin/sh\nexec "${process.execPath}" --conditions=@fngate/source "${main}" "$@"\n`;
    await writeFile(join(this.path, "fngate"), script);
    await chmod(join(this.path, "fngate"), 0o755);
  }

  async do({ argument, kind, text }: Step): Promise<void> {
    if (kind === "file") await writeFile(join(this.path, argument), text);
    else if (kind === "start") this.#start(text);
    // The gateway takes a moment to start, and a change to get to it.
    else if (text.startsWith("curl"))
      await eventually(() => this.#expectOutput(text, argument), { deadlineMs: 20_000 });
    else await this.#expectOutput(text, argument);
  }

  async #expectOutput(command: string, expected: string): Promise<void> {
    const { stdout } = await run("bash", ["-c", command], { cwd: this.path, env: this.#environment });
    expect(stdout.replaceAll("\\", "")).toContain(expected);
  }

  #start(command: string): void {
    const options = { cwd: this.path, env: this.#environment, stdio: "ignore", detached: true } as const;
    this.#gateway = spawn("bash", ["-c", `exec ${command}`], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#gateway;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    process.kill(-child.pid, "SIGTERM");
    await exited;
  }
}

it("the tutorial for plugin authors works as it is written, in a folder of its own", async () => {
  await using directory = await tempDirectory();
  await using workshop = new Workshop(directory.path);
  await workshop.install();
  const [proxy = 0, admin = 0, metrics = 0] = await freePorts(3);
  const tutorial = await readFile(join(ROOT, "packages/plugin-kit/docs/tutorial.md"), "utf8");
  const text = tutorial.replaceAll("9080", String(proxy)).replaceAll("9180", String(admin));
  const steps = stepsOf(
    text.replace(
      "\nfngate:\n",
      `\nplugin_attr: { prometheus: { export_addr: { ip: 127.0.0.1, port: ${metrics} } } }\nfngate:\n`,
    ),
  );
  expect(steps.length).toBeGreaterThan(9);
  for (const step of steps) await workshop.do(step);
}, 120_000);

it("a new plugin never takes the place of what is there, and needs a name", async () => {
  await using directory = await tempDirectory();
  const cwd = directory.path;
  expect(await runFngate(["plugin", "new", "my-plugin", "--dir", "mine"], { cwd })).toMatchObject({ code: 0 });
  const again = await runFngate(["plugin", "new", "my-plugin", "--dir", "mine"], { cwd });
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("mine/my-plugin is there already") });
  const odd = await runFngate(["plugin", "new", "My_Plugin"], { cwd });
  expect(odd).toMatchObject({ code: 1, stderr: expect.stringContaining('"My_Plugin" is no plugin name') });
  const none = await runFngate(["plugin", "new"], { cwd });
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("NAME is missing") });
});
