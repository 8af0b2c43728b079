import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** What a README says comes out of a command: `# 200 Hello` behind it. */
export interface Claim {
  /** Status of the command's last answer; absent: the claim is about the output alone. */
  readonly status: string | undefined;
  /** Occurs in head or body of that answer; what the README leaves out at its end with `...` is left out. */
  readonly text: string;
}

/** The example of a README. */
export interface Example {
  /** Commands that run beside it, each in a terminal of its own. */
  readonly beside: readonly string[];
  /** The commands in their order. */
  readonly commands: string;
  readonly claims: readonly Claim[];
}

const BLOCK = /(<!-- beside -->\n)?```sh\n(.*?)```/gs;

/** A comment at the end of a command. */
const CLAIM = / # (?:(\d{3})(?: (.+))?|(.+))$/;

/** Printed behind a command that something is claimed of. */
const MARK = "<<claimed>>";

/** Reads the `sh` blocks of a README. */
export function readExample(readme: string): Example {
  const blocks = [...readme.matchAll(BLOCK)].map(([, beside, text = ""]) => ({ isBeside: beside !== undefined, text }));
  const lines = blocks.filter(({ isBeside }) => !isBeside).flatMap(({ text }) => text.split("\n"));
  const claims: Claim[] = [];
  const commands = lines.map((line) => {
    const claim = CLAIM.exec(line);
    if (claim === null) return line;
    const [comment, status, text = "", prose = ""] = claim;
    claims.push({ status, text: (text + prose).replace(/\.\.\.$/, "") });
    return `${line.slice(0, -comment.length)}\nprintf '\\n${MARK}\\n'`;
  });
  const beside = blocks.filter(({ isBeside }) => isBeside).map(({ text }) => text);
  return { beside, commands: commands.join("\n"), claims };
}

/** Ports that the commands name, as they are written there. */
export function portsIn(text: string): readonly string[] {
  return found(text, /(?:127\.0\.0\.1:|localhost:|listen\(|bind\(|--?p(?:ort)?[ =])(\d{4,5})\b/g);
}

/** Ports that a command which runs beside the example listens on. */
export function listeningPortsIn(text: string): readonly string[] {
  return found(text, /(?:listen\(|--?p(?:ort)?[ =])(\d{4,5})\b/g);
}

function found(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, port = ""]) => port))];
}

/** The answers that something is claimed of, in their order. */
export function answersIn(output: string): readonly string[] {
  return output.split(`\n${MARK}\n`).slice(0, -1);
}

/** The last answer that `curl -i` printed. */
export function lastAnswer(output: string): { readonly status: string | undefined; readonly text: string } {
  const heads = [...output.matchAll(/^HTTP\/[\d.]+ (\d{3})/gm)];
  const last = heads.at(-1);
  return { status: last?.[1], text: last === undefined ? output : output.slice(last.index) };
}

/**
 * What a terminal has before the example is typed: the key, and a `curl` that, behind a write to the Admin API, waits
 * until requests see it, as somebody who types does.
 */
export function preamble(options: { readonly admin: number; readonly proxy: number; readonly key: string }): string {
  const marker =
    '{"uri":"/in-force/\'$FNGATE_WRITES\'","priority":1000,"plugins":{"mocking":{"response_example":"in force"}}}';
  return `
ADMIN_KEY=${options.key}
FNGATE_WRITES=$$0
in_force() {
  FNGATE_WRITES=$((FNGATE_WRITES + 1))
  command curl -s -o /dev/null -X PUT -H "X-API-KEY: $ADMIN_KEY" -d '${marker}' http://127.0.0.1:${options.admin}/apisix/admin/routes/in-force
  until [ "$(command curl -s http://127.0.0.1:${options.proxy}/in-force/$FNGATE_WRITES)" = "in force" ]; do :; done
}
curl() {
  command curl "$@" || return
  case "$*" in *X-API-KEY*) in_force ;; esac
}
`;
}

/** A command in a terminal of its own, with everything that it starts. */
export class Terminal implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #output: Promise<string>;
  readonly #closed: Promise<unknown>;

  /** Starts a command in a directory. */
  constructor(command: string, cwd: string) {
    this.#child = spawn("bash", ["-c", command], { cwd, stdio: ["ignore", "pipe", "ignore"], detached: true });
    this.#closed = once(this.#child, "exit");
    this.#output = this.#child.stdout === null ? Promise.resolve("") : text(this.#child.stdout);
  }

  /** Everything it printed, once it is done; what takes longer than `deadlineMs` is ended. */
  async output(deadlineMs: number): Promise<string> {
    const force = setTimeout(() => this.#end(), deadlineMs);
    try {
      await this.#closed;
    } finally {
      clearTimeout(force);
    }
    // Something that it left running would keep its output open.
    this.#end();
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#closed;
  }

  #end(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    } catch (error) {
      // Nobody is left.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}
