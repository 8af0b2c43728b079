import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { GatewayError, hasCode, messageOf } from "@fngate/kernel";
import type { CommandIo } from "../command-io.ts";
import type { Flags } from "../config/load.ts";
import { EXIT_CODES, type ExitCode } from "../exit-codes.ts";
import { isPluginName } from "../user-plugins/check-plugin.ts";
import { pluginFiles } from "./plugin-files.ts";

/** `fngate plugin new NAME`: writes a working plugin with its test into a folder of its own. Raises `CONFIG_INVALID`. */
export async function newPlugin(flags: Flags, io: CommandIo): Promise<ExitCode> {
  const name = String(flags["name"]);
  if (!isPluginName(name)) {
    throw refusal(`"${name}" is no plugin name; write lower-case words joined by dashes, such as my-plugin`);
  }
  const parent = typeof flags["dir"] === "string" ? flags["dir"] : "plugins";
  const folder = join(resolve(io.workingDirectory, parent), name);
  await makeFolder(folder);
  const source = fileURLToPath(import.meta.url);
  const gateway = {
    provide: posixFrom(folder, join(dirname(source), `../user-plugins/provide${source.slice(-3)}`)),
    packages: posixFrom(folder, resolve(dirname(source), "../../..")),
    areSources: source.endsWith(".ts"),
  };
  for (const [file, text] of Object.entries(pluginFiles(name, gateway))) await writeFile(join(folder, file), text);
  const shown = relative(io.workingDirectory, folder);
  io.stdout.write(`${shown} is a plugin now. Try it out:

  cd ${shown} && npm test

Have it loaded, in config.yaml:

  fngate:
    plugin_paths: ["${shown.startsWith("..") ? dirname(folder) : `./${dirname(shown)}`}"]
`);
  return EXIT_CODES.ok;
}

/** Never writes into a folder that is there already. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  try {
    await mkdir(folder);
  } catch (error) {
    const isThere = hasCode(error, "EEXIST");
    throw refusal(isThere ? `${folder} is there already; choose another name or --dir` : messageOf(error));
  }
}

function posixFrom(folder: string, path: string): string {
  return relative(folder, path).split(sep).join("/");
}

function refusal(problem: string): GatewayError {
  return new GatewayError("CONFIG_INVALID", problem, { details: { problems: [problem] } });
}
