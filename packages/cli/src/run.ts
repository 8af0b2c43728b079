import { isGatewayError, messageOf } from "@fngate/kernel";
import { type ParsedArgs, parseCommandLine, renderHelp } from "./args.ts";
import type { CommandIo } from "./command-io.ts";
import { EXIT_CODES, type ExitCode } from "./exit-codes.ts";
import { readVersion } from "./version.ts";

/** Runs the command line to its end and returns the exit code; whatever goes wrong is one line each on standard error. */
export async function run(io: CommandIo): Promise<ExitCode> {
  try {
    return await dispatch(parseCommandLine(io.argv), io);
  } catch (error) {
    for (const problem of problemsOf(error)) io.stderr.write(`fngate: ${problem}\n`);
    return isGatewayError(error, "IMPORT_INCOMPLETE") ? EXIT_CODES.importIncomplete : EXIT_CODES.failed;
  }
}

async function dispatch({ command, about, flags }: ParsedArgs, io: CommandIo): Promise<ExitCode> {
  switch (command) {
    case "help":
      io.stdout.write(renderHelp(about));
      return EXIT_CODES.ok;
    case "version":
      io.stdout.write(`fngate ${readVersion()}\n`);
      return EXIT_CODES.ok;
    case "start":
      return (await import("./start.ts")).start(flags, io);
    case "config print":
      return (await import("./config-commands.ts")).printEffectiveConfig(flags, io);
    case "config check":
      return (await import("./config-commands.ts")).checkConfig(flags, io);
    case "plugin new":
      return (await import("./scaffold/new-plugin.ts")).newPlugin(flags, io);
    case "config export":
      return (await import("./declarative/commands.ts")).exportConfig(flags, io);
    case "config diff":
      return (await import("./declarative/commands.ts")).diffConfig(flags, io);
    case "config import":
      return (await import("./declarative/commands.ts")).importConfig(flags, io);
  }
}

function problemsOf(error: unknown): readonly string[] {
  const problems = isGatewayError(error) ? error.details["problems"] : undefined;
  if (Array.isArray(problems)) return problems.map(String);
  // Anything but our own errors is a defect, and its stack is what the report needs.
  return [isGatewayError(error) || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message)];
}
