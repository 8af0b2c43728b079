import { writeFile } from "node:fs/promises";
import { tempDirectory } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import type { CommandIo } from "./command-io.ts";
import { run } from "./run.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function fngate(...argv: readonly string[]): Promise<Outcome> {
  await using directory = await tempDirectory();
  let [stdout, stderr] = ["", ""];
  const io: CommandIo = {
    argv,
    environment: {},
    workingDirectory: directory.path,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    signals: { on: () => undefined, off: () => undefined },
    exitNow: () => undefined,
  };
  const code = await run(io);
  return { code, stdout, stderr };
}

describe("the command line", () => {
  it.each([[["version"]], [["--version"]], [["-v"]]])("prints the version for %j", async (argv) => {
    expect(await fngate(...argv)).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^fngate \d+\.\d+\.\d+\n$/),
      stderr: "",
    });
  });

  it.each([
    [[], "fngate COMMAND --help"],
    [["--help"], "config print"],
    [["help", "start"], "--proxy-listen"],
    [["start", "--help"], "--no-sample-function"],
    [["config", "print", "-h"], "secrets redacted"],
    [["config", "check", "--help"], "--config FILE"],
    [["version", "--help"], "print the version"],
  ])("shows help for %j", async (argv, text) => {
    const { code, stdout } = await fngate(...argv);
    expect(code).toBe(0);
    expect(stdout).toContain(text);
  });

  it.each([
    [["strat"], 'there is no command "strat"; did you mean fngate start?'],
    [["config"], 'there is no command "config"; did you mean fngate config print?'],
    [["config", "chek"], 'there is no command "config chek"; did you mean fngate config check?'],
    [["start", "--confg", "x"], "there is no flag --confg; did you mean --config?"],
    [["start", "--xyzzyplugh"], "there is no flag --xyzzyplugh; see fngate --help"],
    [["start", "extra"], 'unexpected argument "extra"; see fngate --help'],
    [["start", "--role"], "Option '--role <value>' argument missing"],
  ])("refuses %j with one line and exit code 1", async (argv, text) => {
    expect(await fngate(...argv)).toEqual({ code: 1, stdout: "", stderr: `fngate: ${text}\n` });
  });

  it("prints the quick start's settings", async () => {
    const { code, stdout } = await fngate("config", "print");
    expect(code).toBe(0);
    expect(stdout).toContain("config_provider: embedded");
  });

  it("finds a right configuration right, and the published key beyond loopback wrong", async () => {
    expect(await fngate("config", "check")).toEqual({ code: 0, stdout: "configuration is right\n", stderr: "" });
    const { code, stderr } = await fngate("config", "check", "--admin-listen", "0.0.0.0:9180");
    expect(code).toBe(1);
    expect(stderr).toContain("FNGATE_ADMIN_KEY");
    expect(stderr).toContain("deployment.admin.admin_key");
  });

  it("names variables of the access log that nobody knows, and those without a value", async () => {
    await using directory = await tempDirectory();
    const file = directory.file("config.yaml");
    const check = async (format: string) => {
      await writeFile(file, `nginx_config: { http: { access_log_format: '${format}' } }\n`);
      return fngate("config", "check", "--config", file);
    };
    expect(await check("$remote_addr $gzip_ratio $gzip_ratio")).toEqual({
      code: 0,
      stdout: "configuration is right, 1 warning\n",
      stderr: "fngate: warning: nginx_config.http.access_log_format: $gzip_ratio has no value here\n",
    });
    const { code, stderr } = await check("$remote_adr");
    expect(code).toBe(1);
    expect(stderr).toContain("unknown variable $remote_adr");
  });
});
