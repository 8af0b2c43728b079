import type { CommandIo } from "./command-io.ts";
import { type Flags, type LoadedConfig, loadConfig } from "./config/load.ts";
import { printConfig } from "./config/print.ts";
import { createSettings, type StandaloneSettings } from "./config/settings.ts";
import { EXIT_CODES, type ExitCode } from "./exit-codes.ts";

/** `fngate config print`: the effective configuration on standard output, warnings on standard error. */
export async function printEffectiveConfig(flags: Flags, io: CommandIo): Promise<ExitCode> {
  io.stdout.write(printConfig(await load(flags, io)));
  return EXIT_CODES.ok;
}

/** `fngate config check`: everything that can be known without starting; wrong values are thrown as `CONFIG_INVALID`. */
export async function checkConfig(flags: Flags, io: CommandIo): Promise<ExitCode> {
  const { config, warnings: ofConfig } = await load(flags, io);
  const { admin, proxy, standalone } = createSettings(config, io.workingDirectory, fileOf(flags));
  const ofDocument = standalone?.source === "file" ? await checkDocument(standalone, io) : [];
  const template = proxy?.accessLog?.template;
  const ofTemplate = template === undefined ? [] : await checkTemplate(template, io);
  const warnings = [...ofConfig, ...ofDocument, ...ofTemplate];
  if (admin !== undefined) {
    const { assertAdminKeysAreSafe } = await import("@fngate/control-plane");
    assertAdminKeysAreSafe(admin);
  }
  const count = warnings.length === 0 ? "" : `, ${warnings.length} ${warnings.length === 1 ? "warning" : "warnings"}`;
  io.stdout.write(`configuration is right${count}\n`);
  return EXIT_CODES.ok;
}

/** Reads the standalone file as a start would; its warnings are told and returned. */
async function checkDocument(
  { path, format }: Extract<StandaloneSettings, { source: "file" }>,
  io: CommandIo,
): Promise<readonly string[]> {
  const { readDocumentFile } = await import("./document/read-document-file.ts");
  const { warnings } = await readDocumentFile({ path, format, environment: io.environment });
  for (const warning of warnings) io.stderr.write(`fngate: warning: ${warning}\n`);
  return warnings;
}

/** Looks for variables that nobody knows, which are thrown, and those without value, which are told and returned. */
async function checkTemplate(template: string, io: CommandIo): Promise<readonly string[]> {
  const { checkAccessLogTemplate } = await import("@fngate/data-plane");
  const names = new Set(checkAccessLogTemplate(template));
  const warnings = [...names].map((name) => `nginx_config.http.access_log_format: $${name} has no value here`);
  for (const warning of warnings) io.stderr.write(`fngate: warning: ${warning}\n`);
  return warnings;
}

async function load(flags: Flags, io: CommandIo): Promise<LoadedConfig> {
  const loaded = await loadConfig({ file: fileOf(flags), environment: io.environment, flags });
  for (const warning of loaded.warnings) io.stderr.write(`fngate: warning: ${warning}\n`);
  return loaded;
}

function fileOf(flags: Flags): string | undefined {
  return typeof flags["config"] === "string" ? flags["config"] : undefined;
}
