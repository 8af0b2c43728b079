import { type ChildProcess, execFile, execFileSync, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { eventually, startEtcd, tempDirectory } from "@fngate/test-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const key = "edd1c9f034335f136f87ad84b625c8f1";

/** A fenced block of the README behind `<!-- label -->` or `<!-- label: argument -->`. */
interface Block {
  readonly argument: string;
  readonly text: string;
}

function blocks(label: string): Block[] {
  const pattern = new RegExp(`<!-- ${label}(?:: (.*?))? -->\\n\`\`\`\\w+\\n(.*?)\`\`\``, "gs");
  return [...readme.matchAll(pattern)].map(([, argument = "", text = ""]) => ({ argument, text }));
}

const running: ChildProcess[] = [];

/**
 * A terminal's environment: without what the package manager that runs these tests tells its own scripts, and with the
 * machine's Node instead of this repository's.
 */
function terminalEnvironment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: a command that is typed inherits the environment
  const inherited = Object.entries(process.env).filter(([name]) => !/^(p?npm_.*|node|node_path|init_cwd)$/i.test(name));
  const { PATH = "", ...environment } = Object.fromEntries(inherited);
  const directories = PATH.split(delimiter).filter((directory) => !directory.includes("node_modules"));
  return { ...environment, PATH: directories.join(delimiter) };
}

/** Runs a command of the README the way a terminal does: as a process group of its own. */
function type(command: string, cwd: string): ChildProcess {
  const env = terminalEnvironment();
  const child = spawn("sh", ["-c", `exec ${command}`], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout?.resume();
  child.stderr?.resume();
  running.push(child);
  return child;
}

/** Types the commands of the block with a label, one after the other; everything that they print. */
async function outputOf(label: string, cwd: string, adjust = (line: string): string => line): Promise<string> {
  const printed: string[] = [];
  for (const line of blocks(label).flatMap(({ text }) => text.trim().split("\n"))) {
    const { stdout } = await promisify(execFile)("sh", ["-c", adjust(line)], { cwd, env: terminalEnvironment() });
    printed.push(stdout);
  }
  return printed.join("");
}

/** The certificate of the README, in a directory of its own; the answer that a comment promises must come. */
async function takeTlsTour(): Promise<void> {
  await using directory = await tempDirectory();
  const [block] = blocks("tls");
  expect(block).toBeDefined();
  const quietly: StdioOptions = ["ignore", "pipe", "ignore"];
  const options = { cwd: directory.path, env: terminalEnvironment(), stdio: quietly };
  await eventually(() => {
    const answer = execFileSync("bash", ["-c", block?.text ?? ""], options).toString();
    expect(answer).toContain(`\n${block?.argument} `);
  });
}

/** Presses Ctrl-C and returns the exit code. */
async function interrupt(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return child.exitCode;
  const exited = once(child, "exit");
  process.kill(-child.pid, "SIGINT");
  await exited;
  return child.exitCode;
}

async function untilReady(): Promise<void> {
  await eventually(
    async () => {
      const admin = await fetch("http://127.0.0.1:9180/apisix/admin/routes", { headers: { "x-api-key": key } });
      expect(admin.status).toBe(200);
      expect((await fetch("http://127.0.0.1:9080/nothing-here")).status).toBe(404);
    },
    { deadlineMs: 60_000 },
  );
}

/** Every block of the tour, in order; the answer that a comment promises must come. */
async function takeTour(): Promise<void> {
  for (const { argument, text } of blocks("tour")) {
    const answer = () => execFileSync("bash", ["-c", text], { stdio: ["ignore", "pipe", "ignore"] }).toString();
    if (argument === "") {
      expect(answer()).toContain('"key":"/apisix/routes/1"');
      continue;
    }
    const space = argument.indexOf(" ");
    await eventually(() => {
      const [head = "", body = ""] = answer().split("\r\n\r\n");
      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${argument.slice(0, space)} `));
      expect(body.trimEnd()).toBe(argument.slice(space + 1));
    });
  }
}

afterEach(async () => {
  for (const child of running.splice(0)) await interrupt(child);
});

/** The README's ports are fixed, so whatever else holds one would answer for the gateway. */
async function freePorts(): Promise<void> {
  for (const port of [9080, 9443, 9180, 9090, 9091, 3233]) {
    const server = createServer();
    const [event] = await Promise.race([
      once(server.listen(port, "127.0.0.1"), "listening").then(() => ["free"]),
      once(server, "error").then(() => ["taken"]),
    ]);
    expect(`port ${port} is ${event}`).toBe(`port ${port} is free`);
    server.close();
    await once(server, "close");
  }
}

beforeEach(freePorts);

/** Most milliseconds a test may take that types commands which start a package manager each. */
const LONG = 180_000;

describe("the README", () => {
  it("starts with its first command, answers its tour, ends with Ctrl-C and keeps what was stored", {
    timeout: LONG,
  }, async () => {
    await using data = await tempDirectory();
    const [command = ""] = /^npx pnpm@\S+ start$/m.exec(readme) ?? [];
    const first = type(`${command} --data-dir ${data.path}`, root);
    await untilReady();
    await takeTour();
    await takeTlsTour();
    const file = join(data.path, "apisix.yaml");
    const printed = await outputOf("file-commands", root, (line) => line.replace("apisix.yaml", file));
    const [{ argument } = { argument: "" }] = blocks("file-commands");
    expect(printed.split(argument)).toHaveLength(3);
    expect(readFileSync(file, "utf8")).toContain("/index.html");
    expect(await interrupt(first)).toBe(0);

    expect(readme).toContain("`npm start`");
    type(`npm start -- --data-dir ${data.path} --no-sample-function`, root);
    await untilReady();
    const stored = await fetch("http://127.0.0.1:9180/apisix/admin/routes/1", { headers: { "x-api-key": key } });
    expect(await stored.json()).toMatchObject({ value: { uri: "/index.html" } });
  });

  it("runs both planes as two processes with etcd from the files it shows", { timeout: LONG }, async () => {
    await using etcd = await startEtcd();
    await using directory = await tempDirectory();
    for (const { argument, text } of blocks("file")) {
      writeFileSync(join(directory.path, argument), text.replace("http://127.0.0.1:2379", etcd.url));
    }
    const withFile = (line: string) =>
      line.replace(/--config (\S+)/, (_, file: string) => `--config ${join(directory.path, file)}`);
    const checked = await outputOf("check", root, withFile);
    expect(checked).toContain(blocks("check")[0]?.argument);
    expect(checked).toContain(etcd.url);
    for (const line of blocks("processes").flatMap(({ text }) => text.trim().split("\n"))) type(withFile(line), root);
    await untilReady();
    await eventually(async () => expect((await fetch("http://127.0.0.1:3233/")).status).toBeLessThan(500));
    await takeTour();
  });

  it("links only to what exists", () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = ""]) => path);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("names the version of pnpm that package.json names", () => {
    const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      packageManager: string;
    };
    expect(new Set(readme.match(/pnpm@[\d.]+/g))).toEqual(new Set([packageManager]));
  });
});
