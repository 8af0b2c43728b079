import { messageOf } from "@fngate/kernel";
import type { Map as PersistentMap } from "immutable";
import type { PendingChanges } from "../coalescer.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { checkCertificateUsers } from "./certificate-users.ts";
import type { CompileDeps } from "./compile-deps.ts";
import { compileConsumer, compileConsumerGroup, compileCredential } from "./consumers.ts";
import { type CompiledKind, type DecodedChange, decodeChange } from "./decode.ts";
import { Findings } from "./findings.ts";
import { mergeGlobalRules } from "./global-pipeline.ts";
import type { Held } from "./held.ts";
import { updateIdentities } from "./identity-index.ts";
import { compileMetadata } from "./metadata.ts";
import type { ObjectStage } from "./object-stage.ts";
import { placeRoutes, type RouterMoves } from "./placement.ts";
import { compileRoute } from "./routes.ts";
import { compileGlobalRule, compileNamedUpstream, compilePluginConfig, compileService } from "./services.ts";
import {
  type CompiledIdentifier,
  type CompiledObject,
  objectKey,
  type Snapshot,
  type SnapshotTables,
} from "./snapshot.ts";
import { compileSsl } from "./ssl.ts";

/** A new snapshot and what goes with the step to it. */
export interface Compilation {
  readonly snapshot: Snapshot;
  /** What the new snapshot no longer lists; retired once it is in force. */
  readonly retired: readonly Held[];
  /** Findings that the previous snapshot did not have. */
  readonly news: readonly Diagnostic[];
  /** Routes that are gone. */
  readonly deletedRoutes: readonly string[];
  /** Routes that are not where the snapshot wants them in its router before these are done; absent: all are. */
  readonly moves: RouterMoves | undefined;
}

type ObjectCompiler<TObject> = (
  id: string,
  stored: NonNullable<DecodedChange["value"]>,
  stage: ObjectStage,
) => TObject | undefined;

type TableValue<TKind extends CompiledKind> =
  SnapshotTables[TKind] extends PersistentMap<string, infer TValue> ? TValue : never;

/** How each kind is compiled. */
const COMPILERS: { readonly [TKind in CompiledKind]: ObjectCompiler<TableValue<TKind>> } = {
  route: compileRoute,
  service: compileService,
  upstream: compileNamedUpstream,
  plugin_config: compilePluginConfig,
  global_rule: compileGlobalRule,
  ssl: compileSsl,
  consumer: compileConsumer,
  credential: compileCredential,
  consumer_group: compileConsumerGroup,
  plugin_metadata: compileMetadata,
};

const KINDS = Object.keys(COMPILERS) as readonly CompiledKind[];

/** Something of every kind. */
function byKind<TValue>(make: (kind: CompiledKind) => TValue): Record<CompiledKind, TValue> {
  return Object.fromEntries(KINDS.map((kind) => [kind, make(kind)])) as Record<CompiledKind, TValue>;
}

type AnyTable = PersistentMap<string, CompiledObject>;

/** The tables, each through `change`, which keeps the type of what is in them. */
function mapTables(tables: SnapshotTables, change: (table: AnyTable, kind: CompiledKind) => AnyTable): SnapshotTables {
  return byKind((kind) => change(tables[kind], kind)) as unknown as SnapshotTables;
}

/** Begins keys of findings about the client certificate that an object's upstream names. */
const CERTIFICATE_KEY = "client certificate of";

/** Key of findings that belong to the global rules together. */
const GLOBAL_RULES_KEY = "global_rules";

/**
 * Compiles changes onto a snapshot: only what changed is compiled, everything else is shared with `previous`, which
 * stays as it is. An object that cannot be used keeps its last usable version and never touches the others.
 */
export function compileSnapshot(previous: Snapshot, pending: PendingChanges, deps: CompileDeps): Compilation {
  const run = new CompileRun(previous, deps);
  for (const change of pending.changes) {
    const decoded = decodeChange(change, deps.prefix);
    if (decoded !== undefined) run.apply(decoded);
  }
  return run.finish(pending.revision);
}

function isIdentifier(object: CompiledObject | undefined): object is CompiledIdentifier {
  return object !== undefined && "claims" in object;
}

/** A table after the run: the very same one when nothing in it changed. */
function settled<TValue>(
  edited: PersistentMap<string, TValue>,
  previous: PersistentMap<string, TValue>,
): PersistentMap<string, TValue> {
  return edited.wasAltered() ? edited.asImmutable() : previous;
}

class CompileRun {
  readonly #previous: Snapshot;
  readonly #deps: CompileDeps;
  readonly #tables: SnapshotTables;
  readonly #diagnostics: Snapshot["diagnostics"];
  readonly #changedIds = byKind(() => new Set<string>());
  #identities: Snapshot["identities"];
  readonly #retired: Held[] = [];
  readonly #news: Diagnostic[] = [];
  readonly #deletedRoutes: string[] = [];

  constructor(previous: Snapshot, deps: CompileDeps) {
    this.#previous = previous;
    this.#deps = deps;
    this.#tables = mapTables(previous.tables, (table) => table.asMutable());
    this.#identities = previous.identities;
    this.#diagnostics = previous.diagnostics.asMutable();
  }

  apply(change: DecodedChange): void {
    const key = objectKey(change.kind, change.id);
    const findings = new Findings(key);
    if (change.finding !== undefined) findings.list.push(change.finding);
    else if (change.value === undefined) this.#remove(change);
    else this.#compile(change, findings);
    this.#note(
      key,
      findings.list.map((finding) => ({ kind: change.kind, id: change.id, ...finding })),
    );
  }

  finish(revision: PendingChanges["revision"]): Compilation {
    const previous = this.#previous;
    const tables = mapTables(this.#tables, (table, kind) => settled<CompiledObject>(table, previous.tables[kind]));
    const placement = placeRoutes(previous, tables, {
      routes: this.#changedIds.route,
      services: this.#changedIds.service,
    });
    const globals = this.#mergeGlobals(tables);
    const certificateUsers = this.#checkCertificates(tables);
    return {
      snapshot: {
        revision,
        router: placement.router,
        hostHeirs: placement.hostHeirs,
        tables,
        certificates: this.#indexCertificates(tables),
        globalPlugins: globals.globalPlugins,
        globalHeld: globals.globalHeld,
        identities: this.#identities,
        certificateUsers,
        diagnostics: settled(this.#diagnostics, previous.diagnostics),
      },
      retired: this.#retired,
      news: this.#news,
      deletedRoutes: this.#deletedRoutes,
      moves: placement.moves,
    };
  }

  #compile({ kind, id, value, entry }: DecodedChange, findings: Findings): void {
    if (value === undefined || entry === undefined) return;
    const object = this.#tryCompile(kind, { id, value }, { deps: this.#deps, findings, entry });
    if (object === undefined) return;
    const table: AnyTable = this.#tables[kind];
    const before = table.get(id);
    object.held.follow(before?.held);
    this.#retire(before);
    this.#identify(before, object);
    table.set(id, object);
    this.#changedIds[kind].add(id);
  }

  /** Whatever one object makes a stage throw must not cost the others of the same publication. */
  #tryCompile(
    kind: CompiledKind,
    stored: { readonly id: string; readonly value: NonNullable<DecodedChange["value"]> },
    stage: ObjectStage,
  ): CompiledObject | undefined {
    const compile: ObjectCompiler<CompiledObject> = COMPILERS[kind];
    try {
      return compile(stored.id, stored.value, stage);
    } catch (error) {
      return stage.findings.error("INVALID_OBJECT", "", `cannot be compiled: ${messageOf(error)}`);
    }
  }

  #remove(change: DecodedChange): void {
    const table: AnyTable = this.#tables[change.kind];
    const object = table.get(change.id);
    if (object === undefined) return;
    this.#retire(object);
    this.#identify(object, undefined);
    table.delete(change.id);
    this.#changedIds[change.kind].add(change.id);
    if (change.kind === "route") this.#deletedRoutes.push(change.id);
  }

  #identify(before: CompiledObject | undefined, after: CompiledObject | undefined): void {
    const [gone, come] = [before, after].map((object) => (isIdentifier(object) ? object : undefined));
    if (gone !== undefined || come !== undefined) this.#identities = updateIdentities(this.#identities, gone, come);
  }

  #retire(object: CompiledObject | undefined): void {
    if (object !== undefined) this.#retired.push(object.held);
  }

  #mergeGlobals(tables: SnapshotTables): Pick<Snapshot, "globalPlugins" | "globalHeld"> {
    if (this.#changedIds.global_rule.size === 0) return this.#previous;
    const merged = mergeGlobalRules([...tables.global_rule.values()]);
    this.#note(GLOBAL_RULES_KEY, merged.diagnostics);
    return { globalPlugins: merged.plugins, globalHeld: merged.held };
  }

  #indexCertificates(tables: SnapshotTables): Snapshot["certificates"] {
    let index = this.#previous.certificates;
    for (const id of this.#changedIds.ssl) index = index.with(this.#previous.tables.ssl.get(id), tables.ssl.get(id));
    return index;
  }

  #checkCertificates(after: SnapshotTables): Snapshot["certificateUsers"] {
    const { certificateUsers, tables: before } = this.#previous;
    const check = checkCertificateUsers(certificateUsers, { before, after, changed: this.#changedIds });
    for (const [key, findings] of check.findings) this.#note(`${CERTIFICATE_KEY} ${key}`, findings);
    return check.users;
  }

  /** Replaces what is known to be wrong under a key; only what is new is told. */
  #note(key: string, diagnostics: readonly Diagnostic[]): void {
    const known = this.#diagnostics.get(key) ?? [];
    if (diagnostics.length === 0) {
      if (known.length > 0) this.#diagnostics.delete(key);
      return;
    }
    const isKnown = (one: Diagnostic): boolean =>
      known.some((other) => other.path === one.path && other.message === one.message);
    this.#news.push(...diagnostics.filter((diagnostic) => !isKnown(diagnostic)));
    this.#diagnostics.set(key, diagnostics);
  }
}
