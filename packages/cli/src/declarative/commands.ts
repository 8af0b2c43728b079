import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { GatewayError, messageOf, systemClock } from "@fngate/kernel";
import type { CommandIo } from "../command-io.ts";
import type { Flags } from "../config/load.ts";
import type { LocatedItem } from "../document/read-document.ts";
import { EXIT_CODES, type ExitCode } from "../exit-codes.ts";
import type { AdminConnection } from "./admin-connection.ts";
import { applySteps } from "./apply-plan.ts";
import { type LiveConfiguration, readLiveConfiguration } from "./live-configuration.ts";
import { withConnection } from "./open-connection.ts";
import { type Plan, planChanges } from "./plan.ts";
import { createProgress } from "./progress.ts";
import { readWantedFile } from "./read-wanted-file.ts";
import { renderDocument } from "./render-document.ts";
import { renderPlan } from "./render-plan.ts";
import { findProblems } from "./validate-document.ts";

/** `fngate config export`: everything a control plane has, as a document that can be imported or served. */
export async function exportConfig(flags: Flags, io: CommandIo): Promise<ExitCode> {
  return withConnection(flags, io, async (connection) => {
    const { objects } = await readLiveConfiguration(connection);
    const { file } = flags;
    const path = typeof file === "string" ? resolve(io.workingDirectory, file) : undefined;
    const document = renderDocument(objects, path?.endsWith(".json") === true ? "json" : "yaml");
    if (path === undefined) io.stdout.write(document);
    // Secrets of plugins are in it.
    else await writeFile(path, document, { mode: 0o600 }).catch(cannotWrite);
    io.stderr.write(`${objects.length} objects exported\n`);
    return EXIT_CODES.ok;
  });
}

/** `fngate config diff`: what an import would do; nothing is written. */
export async function diffConfig(flags: Flags, io: CommandIo): Promise<ExitCode> {
  return withConnection(flags, io, async (connection) => {
    const { plan } = await comparison(flags, io, connection);
    io.stdout.write(renderPlan(plan));
    return plan.steps.length === 0 ? EXIT_CODES.ok : EXIT_CODES.different;
  });
}

/**
 * `fngate config import`: makes a control plane's configuration a file's. Raises `CONFIG_INVALID` with everything that
 * is wrong before the first write, else what {@link applySteps} raises.
 */
export async function importConfig(flags: Flags, io: CommandIo): Promise<ExitCode> {
  return withConnection(flags, io, async (connection) => {
    const { items, live, plan } = await comparison(flags, io, connection);
    const isPruning = flags["prune"] === true;
    const problems = await findProblems({ items, live, plan, isPruning }, connection);
    if (problems.length > 0) {
      throw new GatewayError("CONFIG_INVALID", "the file cannot be imported", { details: { problems } });
    }
    io.stdout.write(renderPlan(plan));
    if (plan.steps.length === 0 || flags["dry-run"] === true) return EXIT_CODES.ok;
    await assertWanted(flags, io, connection);
    await applyUnlessInterrupted(plan, connection, io);
    io.stdout.write(`done: ${plan.steps.length} changes\n`);
    return EXIT_CODES.ok;
  });
}

interface Comparison {
  readonly items: readonly LocatedItem[];
  readonly live: LiveConfiguration;
  readonly plan: Plan;
}

async function comparison(flags: Flags, io: CommandIo, connection: AdminConnection): Promise<Comparison> {
  const items = await readWantedFile(flags, io);
  const [live, { createCatalog }] = await Promise.all([readLiveConfiguration(connection), import("@fngate/plugins")]);
  const isPruning = flags["prune"] === true;
  const plan = planChanges({ wanted: items, live: live.objects, isPruning, catalog: createCatalog(undefined) });
  return { items, live, plan };
}

async function assertWanted(flags: Flags, io: CommandIo, connection: AdminConnection): Promise<void> {
  if (flags["yes"] === true) return;
  if (io.confirm === undefined) {
    throw new GatewayError("CONFIG_INVALID", "nothing was changed: nobody is there to ask, and --yes was not given");
  }
  if (!(await io.confirm(`Apply this to ${connection.origin}?`))) {
    throw new GatewayError("CONFIG_INVALID", "nothing was changed");
  }
}

async function applyUnlessInterrupted({ steps }: Plan, connection: AdminConnection, io: CommandIo): Promise<void> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) io.signals.on(signal, onSignal);
  const progress = createProgress({ total: steps.length, sink: io.stderr, clock: systemClock });
  try {
    await applySteps(steps, { connection, signal: interrupt.signal, onProgress: (done) => progress.show(done) });
  } finally {
    progress.end();
    for (const signal of ["SIGINT", "SIGTERM"] as const) io.signals.off(signal, onSignal);
  }
}

function cannotWrite(cause: unknown): never {
  throw new GatewayError("CONFIG_UNREADABLE", `cannot write the document: ${messageOf(cause)}`, { cause });
}
