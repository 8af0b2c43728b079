import { parseArgs } from "node:util";
import { GatewayError } from "@fngate/kernel";
import { nearest } from "./config/nearest.ts";
import { OVERRIDES } from "./config/overrides.ts";

/** One flag of a command. */
export interface FlagSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** Word for the value in the help. */
  readonly placeholder?: string;
  readonly description: string;
}

/** One command as the help shows it. */
export interface CommandSpec {
  readonly description: string;
  /** Word for the one argument that it takes, which is handed on as the flag of that name in lower case. */
  readonly argument?: string;
  /** What else there is to know, below the description. */
  readonly notes?: string;
  readonly flags: Readonly<Record<string, FlagSpec>>;
}

/** A command line that was understood. */
export interface ParsedArgs {
  readonly command: CommandName | "help";
  /** For `help`: the command it is about, if any. */
  readonly about?: CommandName | undefined;
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

const HELP: Readonly<Record<string, FlagSpec>> = {
  help: { type: "boolean", short: "h", description: "show this help" },
};

const CONFIGURATION: Readonly<Record<string, FlagSpec>> = {
  config: {
    type: "string",
    short: "c",
    placeholder: "FILE",
    description: "config.yaml in APISIX's shape; left out: the quick start",
  },
  ...Object.fromEntries(
    OVERRIDES.flatMap(({ flag, placeholder = "VALUE", description, variables }) =>
      flag === undefined
        ? []
        : [[flag, { type: "string", placeholder, description: `${description} (${variables.join(", ")})` } as const]],
    ),
  ),
  "no-sample-function": { type: "boolean", description: "do without the sample function" },
};

const ADMIN_ACCESS: Readonly<Record<string, FlagSpec>> = {
  admin: {
    type: "string",
    placeholder: "URL",
    description: "the Admin API, http://127.0.0.1:9180 when left out",
  },
  key: { type: "string", placeholder: "KEY", description: "its admin key (FNGATE_ADMIN_KEY)" },
  ca: { type: "string", placeholder: "FILE", description: "certificates that its own must come from (PEM)" },
  cert: { type: "string", placeholder: "FILE", description: "certificate to show it (PEM)" },
  "cert-key": { type: "string", placeholder: "FILE", description: "key of that certificate (PEM)" },
};

const DOCUMENT_FILE: Readonly<Record<string, FlagSpec>> = {
  file: {
    type: "string",
    short: "f",
    placeholder: "FILE",
    description: "file in the form of apisix.yaml; its name ending in .json: of apisix.json",
  },
};

const PRUNE: Readonly<Record<string, FlagSpec>> = {
  prune: { type: "boolean", description: "delete what the file does not have" },
};

/** The commands, in the order of the help. */
export const COMMANDS = {
  start: { description: "run the gateway until Ctrl-C or SIGTERM", flags: { ...CONFIGURATION, ...HELP } },
  "config print": {
    description: "show the configuration that holds, with origins, secrets redacted",
    flags: { ...CONFIGURATION, ...HELP },
  },
  "config check": { description: "tell whether the configuration is right", flags: { ...CONFIGURATION, ...HELP } },
  "config export": {
    description: "write what a running control plane has to a file in the form of apisix.yaml",
    notes:
      "Secrets are written as the Admin API shows them: secret fields of plugins in clear, private keys of certificates not at all.\nWithout --file the document goes to standard output.",
    flags: { ...ADMIN_ACCESS, ...DOCUMENT_FILE, ...HELP },
  },
  "config diff": {
    description: "show what an import would change; exit code 0: nothing, 4: something",
    notes: "Private keys of certificates are not compared, since the Admin API does not show them.",
    flags: { ...ADMIN_ACCESS, ...DOCUMENT_FILE, ...PRUNE, ...HELP },
  },
  "config import": {
    description: "make what a running control plane has that of a file, wholly or not at all",
    notes:
      "Shows the plan, and asks before it writes. Everything is validated first, and each object is written only if it is still\nwhat the plan saw. After a failure or Ctrl-C everything is put back; changed certificates, whose keys the Admin API does\nnot show, are written last, as they cannot be. Exit codes: 0 done, 1 nothing changed, 5 half changed, as told.",
    flags: {
      ...ADMIN_ACCESS,
      ...DOCUMENT_FILE,
      ...PRUNE,
      "dry-run": { type: "boolean", description: "validate and show the plan, change nothing" },
      yes: { type: "boolean", short: "y", description: "do not ask" },
      ...HELP,
    },
  },
  "plugin new": {
    description: "write a plugin that works, with its test, into a folder of its own",
    argument: "NAME",
    flags: {
      dir: { type: "string", placeholder: "DIR", description: "where the folder NAME is made; plugins when left out" },
      ...HELP,
    },
  },
  version: { description: "print the version", flags: HELP },
} as const satisfies Record<string, CommandSpec>;

/** Name of a command. */
export type CommandName = keyof typeof COMMANDS;

/** Reads a command line. Raises `CONFIG_INVALID` with a hint for commands and flags that do not exist. */
export function parseCommandLine(argv: readonly string[]): ParsedArgs {
  const firstFlag = argv.findIndex((word) => word.startsWith("-"));
  const words = firstFlag < 0 ? argv : argv.slice(0, firstFlag);
  if (words.length === 0 || words[0] === "help") return parseBare(argv, words);
  const command = commandOf(words);
  const { argument, flags }: CommandSpec = COMMANDS[command];
  const rest = argv.slice(command.split(" ").length);
  const [next] = rest;
  const given = argument === undefined || next?.startsWith("-") ? undefined : next;
  const values = parseFlags(given === undefined ? rest : rest.slice(1), flags);
  if (values["help"] === true) return { command: "help", about: command, flags: {} };
  if (argument === undefined) return { command, flags: values };
  if (given === undefined) throw usageError(`${argument} is missing`, `fngate ${command} ${argument}`);
  return { command, flags: { ...values, [argument.toLowerCase()]: given } };
}

function parseBare(argv: readonly string[], words: readonly string[]): ParsedArgs {
  if (words.length > 1) return { command: "help", about: commandOf(words.slice(1)), flags: {} };
  const flags: Readonly<Record<string, FlagSpec>> = {
    ...HELP,
    version: { type: "boolean", short: "v", description: "print the version" },
  };
  const values = parseFlags(argv.slice(words.length), flags);
  return { command: values["version"] === true ? "version" : "help", flags: {} };
}

function commandOf(words: readonly string[]): CommandName {
  const names = Object.keys(COMMANDS).filter((name): name is CommandName => Object.hasOwn(COMMANDS, name));
  const found = names.find((name) => name.split(" ").every((word, index) => words[index] === word));
  if (found !== undefined) return found;
  const typed = words.slice(0, 2).join(" ");
  const hint =
    nearest(typed, names) ?? nearest(words[0] ?? "", names) ?? names.find((name) => name.startsWith(`${words[0]} `));
  throw usageError(`there is no command "${typed}"`, hint === undefined ? undefined : `fngate ${hint}`);
}

function parseFlags(args: readonly string[], flags: Readonly<Record<string, FlagSpec>>): ParsedArgs["flags"] {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { type, short }]) => [name, short === undefined ? { type } : { type, short }]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true });
  for (const token of tokens) {
    if (token.kind === "positional") throw usageError(`unexpected argument "${token.value}"`, undefined);
    if (token.kind === "option" && !Object.hasOwn(flags, token.name)) {
      const near = nearest(token.name, Object.keys(flags));
      throw usageError(`there is no flag ${token.rawName}`, near === undefined ? undefined : `--${near}`);
    }
  }
  try {
    return {
      ...parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values,
    } as ParsedArgs["flags"];
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError("CONFIG_INVALID", text.split("\n")[0] ?? text, { cause });
  }
}

function usageError(problem: string, hint: string | undefined): GatewayError {
  const advice = hint === undefined ? "see fngate --help" : `did you mean ${hint}?`;
  return new GatewayError("CONFIG_INVALID", `${problem}; ${advice}`);
}

/** The help text of one command, or of all. */
export function renderHelp(about: CommandName | undefined): string {
  if (about === undefined) {
    const rows = Object.entries(COMMANDS).map(([name, { description }]) => [`fngate ${name}`, description] as const);
    return `An Apache APISIX-compatible gateway for serverless functions.\n\n${renderRows(rows)}\n\nfngate COMMAND --help shows the flags of a command.\n`;
  }
  const { argument, description, flags, notes }: CommandSpec = COMMANDS[about];
  const rows = Object.entries<FlagSpec>(flags).map(([name, flag]) => {
    const short = flag.short === undefined ? "" : `-${flag.short}, `;
    return [
      `${short}--${name}${flag.placeholder === undefined ? "" : ` ${flag.placeholder}`}`,
      flag.description,
    ] as const;
  });
  const paragraphs = [
    `fngate ${about}${argument === undefined ? "" : ` ${argument}`}: ${description}`,
    ...(notes === undefined ? [] : [notes]),
    renderRows(rows),
  ];
  return `${paragraphs.join("\n\n")}\n`;
}

function renderRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
