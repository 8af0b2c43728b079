import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually, freePorts, tempDirectory } from "@fngate/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ADMIN_KEY, AdminClient } from "../support/admin-client.ts";
import { type FngateProcess, startFngate } from "../support/fngate-process.ts";
import {
  answersIn,
  type Example,
  lastAnswer,
  listeningPortsIn,
  portsIn,
  preamble,
  readExample,
  Terminal,
} from "../support/readme-example.ts";
import { ROOT } from "../support/steps.ts";

const run = promisify(execFile);

const PLUGINS = join(ROOT, "packages/plugins/src");

/** Every folder of a plugin, by the README that the catalog wants in it. */
const names = readdirSync(PLUGINS).filter((name) => readdirIfAny(join(PLUGINS, name)).includes("schema.ts"));

function readdirIfAny(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

const readmeOf = (name: string): string => readFileSync(join(PLUGINS, name, "README.md"), "utf8");

/** Kinds of objects that examples make, those that refer to others first. */
const KINDS = ["routes", "global_rules", "consumers", "consumer_groups", "services", "plugin_configs", "upstreams"];

/** Longest run of one example. */
const DEADLINE_MS = 30_000;

/**
 * The quick start as `fngate start` has it, with other ports: those of the machine may be taken. The documented
 * number stands for the free one in every example.
 */
class QuickStart implements AsyncDisposable {
  readonly #process: FngateProcess;
  readonly #admin: AdminClient;
  readonly #ports: ReadonlyMap<string, number>;

  constructor(running: FngateProcess, ports: ReadonlyMap<string, number>) {
    this.#process = running;
    this.#ports = ports;
    this.#admin = new AdminClient(this.#port("9180"));
  }

  static async start(): Promise<QuickStart> {
    const documented = [
      ...new Set(["9080", "9180", "9091", "9090", "3233", ...names.flatMap((name) => portsIn(readmeOf(name)))]),
    ];
    const free = await freePorts(documented.length);
    const ports = new Map(documented.map((port, index) => [port, free[index] ?? 0]));
    const file = readFileSync(join(ROOT, "packages/cli/quick-start.yaml"), "utf8").replace("data_dir: .fngate", "");
    const environment = { FNGATE_CONTROL_LISTEN: `127.0.0.1:${ports.get("9090")}` };
    return new QuickStart(await startFngate(parse(withPorts(file, ports)), { environment }), ports);
  }

  /** Types an example into a terminal; returns what came out, command by command. */
  async type({ beside, claims, commands }: Example): Promise<readonly string[]> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await tempDirectory());
    for (const command of beside) {
      stack.use(new Terminal(this.withPorts(command), directory.path));
      await Promise.all(listeningPortsIn(command).map((port) => untilTaken(this.#port(port))));
    }
    const before = preamble({ admin: this.#port("9180"), proxy: this.#port("9080"), key: ADMIN_KEY });
    const terminal = stack.use(new Terminal(`${before}\n${this.withPorts(commands)}`, directory.path));
    const output = await terminal.output(DEADLINE_MS);
    const answers = answersIn(output);
    expect(answers, output).toHaveLength(claims.length);
    return answers;
  }

  /** A text with the ports that this gateway and what runs beside it have. */
  withPorts(text: string): string {
    return withPorts(text, this.#ports);
  }

  /** Takes away what an example made. */
  async clear(readme: string): Promise<void> {
    for (const kind of KINDS) {
      const { body } = await this.#admin.send("GET", `/${kind}`);
      const { list } = body as { list: readonly { key: string }[] };
      for (const { key } of list) {
        if (!key.includes("/credentials/")) await this.#admin.send("DELETE", `/${kind}/${key.split("/").at(-1)}`);
      }
    }
    for (const [path] of readme.matchAll(/\/plugin_metadata\/[\w-]+/g)) await this.#admin.send("DELETE", path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  #port(documented: string): number {
    return this.#ports.get(documented) ?? 0;
  }
}

function withPorts(text: string, ports: ReadonlyMap<string, number>): string {
  return text.replace(/\b\d{4,5}\b/g, (number) => String(ports.get(number) ?? number));
}

/** Resolves when something listens there. */
async function untilTaken(port: number): Promise<void> {
  await eventually(() => run("bash", ["-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`]), { deadlineMs: 10_000 });
}

describe("the README of", () => {
  let gateway: QuickStart;

  beforeAll(async () => {
    gateway = await QuickStart.start();
  });
  afterAll(() => gateway?.[Symbol.asyncDispose]());

  it.each(names)("%s has an example whose commands answer what it says", async (name) => {
    const readme = readmeOf(name);
    const example = readExample(readme);
    expect(example.claims.length, "the example says of no command what it answers").toBeGreaterThan(0);
    try {
      const answers = await gateway.type(example);
      for (const [index, claim] of example.claims.entries()) {
        const { status, text } = lastAnswer(answers[index] ?? "");
        expect(claim.status === undefined ? "" : status, text).toBe(claim.status ?? "");
        expect(text).toContain(gateway.withPorts(claim.text));
      }
    } finally {
      await gateway.clear(readme);
    }
  });
});
