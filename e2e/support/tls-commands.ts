import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type Certificates, type TempDirectory, tempDirectory } from "@fngate/test-kit";

const run = promisify(execFile);

const COMMAND_DEADLINE_MS = 20_000;

/** What a command printed, on whichever of its outputs, and how it ended. */
export interface CommandText {
  readonly text: string;
  readonly code: number;
}

/** Runs a command to its end; a failing one is an outcome too. */
export async function outcomeOf(command: string, args: readonly string[], input = ""): Promise<CommandText> {
  try {
    const running = run(command, [...args], { timeout: COMMAND_DEADLINE_MS });
    running.child.stdin?.on("error", () => {}).end(input);
    const { stdout, stderr } = await running;
    return { text: stdout + stderr, code: 0 };
  } catch (error) {
    const { code, stdout, stderr } = Object(error);
    return { text: String(stdout) + String(stderr), code: Number(code) };
  }
}

/** `curl` and `openssl s_client`, which know nothing of our code, with one authority that they trust. */
export class TlsCommands implements AsyncDisposable {
  readonly #directory: TempDirectory;
  #files = 0;
  /** PEM with the client's certificate and key, for `--cert`. */
  readonly clientFile: string;

  constructor(directory: TempDirectory) {
    this.#directory = directory;
    this.clientFile = directory.file("client.pem");
  }

  /** A path in the directory of this object. */
  file(name: string): string {
    return this.#directory.file(name);
  }

  /** Writes a file of its own and returns its path. */
  async write(content: string): Promise<string> {
    this.#files += 1;
    const path = this.file(`file-${this.#files}.pem`);
    await writeFile(path, content);
    return path;
  }

  /** Asks for `path` on `host`; the text ends in a line with status and version of HTTP. */
  curl(
    port: number,
    url: { readonly host: string; readonly path: string },
    ...options: string[]
  ): Promise<CommandText> {
    const trust = ["--cacert", this.file("ca.pem"), "--resolve", `${url.host}:${port}:127.0.0.1`];
    const format = ["-sS", "-w", "\n%{http_code} %{http_version}"];
    return outcomeOf("curl", [...format, ...trust, ...options, `https://${url.host}:${port}${url.path}`]);
  }

  /** Shakes hands and stays until the server hangs up, after a request that makes it do so: for what comes late. */
  async sClientUntilClosed(port: number, ...options: readonly string[]): Promise<CommandText> {
    const trust = ["-CAfile", this.file("ca.pem")];
    const arguments_ = ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...trust, ...options];
    return outcomeOf("openssl", arguments_, "GET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n");
  }

  /** Shakes hands and hangs up. */
  sClient(port: number, ...options: readonly string[]): Promise<CommandText> {
    const trust = ["-CAfile", this.file("ca.pem")];
    return outcomeOf("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...trust, ...options]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

/** Makes {@link TlsCommands} that trust an authority and have its client's certificate at hand. */
export async function tlsCommands({ ca, client }: Pick<Certificates, "ca" | "client">): Promise<TlsCommands> {
  const directory = await tempDirectory();
  const commands = new TlsCommands(directory);
  await writeFile(commands.clientFile, client.cert + client.key);
  await writeFile(commands.file("ca.pem"), ca);
  return commands;
}
