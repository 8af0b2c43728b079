import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PluginDefinition } from "@fngate/plugin-kit";
import type { z } from "zod";
import { hasProperties, renderConfigTable } from "./config-table.ts";
import { phasesOf } from "./plugin-phases.ts";

/** A plugin, and what its sources say about it. */
interface ListedPlugin {
  readonly plugin: PluginDefinition;
  readonly summary: string;
  readonly phases: string;
}

/** The page about all plugins, the highest priority first; `sources` is where their folders are. */
export function renderPluginsPage(plugins: readonly PluginDefinition[], sources: string): string {
  const listed = plugins
    .toSorted((a, b) => b.priority - a.priority)
    .map((plugin) => listedPlugin(plugin, join(sources, plugin.name)));
  return [
    "# Plugins",
    "",
    "<!-- Generated from the catalog by `pnpm gen`; do not edit. -->",
    "",
    "The highest priority runs first in every phase. Beside its own members each configuration may have",
    "`_meta`: `disable`, `priority`, `filter`, `error_response`. Phases are those that a plugin may run in; which of them",
    "depends on its configuration.",
    "",
    "| Priority | Plugin | Phases | What it does |",
    "| --- | --- | --- | --- |",
    ...listed.map(
      ({ phases, plugin: { name, priority }, summary }) =>
        `| ${priority} | [${name}](#${name}) | ${phases} | ${summary.replaceAll("|", "\\|")} |`,
    ),
    "",
    ...listed.flatMap((entry) => [...sectionOf(entry), ""]),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function listedPlugin(plugin: PluginDefinition, folder: string): ListedPlugin {
  return { plugin, summary: summaryOf(folder), phases: placesOf(plugin, folder) };
}

/** Phases, and the word `endpoint` for what is asked rather than run. */
function placesOf({ controlApis, publicApis }: PluginDefinition, folder: string): string {
  const isAsked = controlApis !== undefined || publicApis !== undefined;
  return [...phasesOf(folder), ...(isAsked ? ["endpoint"] : [])].join(", ");
}

function sectionOf({ phases, plugin, summary }: ListedPlugin): readonly string[] {
  const { consumerSchema, metadataSchema, name, schema } = plugin;
  return [
    `## ${name}`,
    "",
    `${summary}. [Example and details](../src/${name}/README.md)`,
    "",
    ...factsOf(plugin, phases).map((fact) => `- ${fact}`),
    "",
    ...tableOf("Configuration", schema),
    ...(consumerSchema === undefined ? [] : tableOf("In consumers and credentials", consumerSchema)),
    ...(metadataSchema === undefined ? [] : tableOf("Metadata", metadataSchema)),
  ].slice(0, -1);
}

function factsOf(plugin: PluginDefinition, phases: string): readonly string[] {
  const { priority, runPolicy, scope, type, version } = plugin;
  const facts = [`Priority ${priority}, version ${version}`, phases === "" ? "Runs in no phase" : `Phases: ${phases}`];
  if (type === "auth") facts.push("Authenticates callers; may stand in credentials");
  if (scope === "global") facts.push("For global rules");
  if (runPolicy === "prefer_route") facts.push("A global rule's does not run where the route has its own");
  const secrets = [
    ...named(plugin.secretFields, ""),
    ...named(plugin.consumerSecretFields, " (consumers)"),
    ...named(plugin.metadataSecretFields, " (metadata)"),
  ];
  if (secrets.length > 0) facts.push(`Encrypted at rest: ${secrets.join(", ")}`);
  const references = (plugin.references ?? []).map(({ kind, path }) => `\`${path}\` (${kind})`);
  if (references.length > 0) facts.push(`Names other objects: ${references.join(", ")}`);
  return facts;
}

function named(fields: readonly string[] = [], place: string): readonly string[] {
  return fields.map((field) => `\`${field}\`${place}`);
}

function tableOf(title: string, schema: z.ZodType): readonly string[] {
  const content = hasProperties(schema) ? renderConfigTable(schema) : "No members of its own.";
  return [`### ${title}`, "", content, ""];
}

/** The sentence in front of the plugin's definition, without its source. */
function summaryOf(folder: string): string {
  const index = readFileSync(join(folder, "index.ts"), "utf8");
  const [, text = ""] = /\/\*\*((?:(?!\*\/).)*)\*\/\s*export const \w+ = definePlugin/s.exec(index) ?? [];
  const sentence = text
    .replace(/\s*\n\s*\*\s*/g, " ")
    .replace(/\s*\(APISIX: [^)]*\)/, "")
    .trim();
  if (sentence === "") throw new Error(`${folder}/index.ts says of no plugin what it does`);
  return sentence.replace(/\.$/, "");
}
