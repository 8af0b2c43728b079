import { type Map as PersistentMap, Set as PersistentSet } from "immutable";
import type { Diagnostic } from "../diagnostic.ts";
import type { SnapshotTables, UpstreamChoice } from "./snapshot.ts";

/** Kinds of objects that hold upstreams. */
const HOLDERS = ["route", "service", "upstream"] as const;

/** An object that holds an upstream. */
interface Holder {
  readonly kind: (typeof HOLDERS)[number];
  readonly id: string;
}

/** Objects whose upstream names an `ssl` object, by the id of that one. */
export type CertificateUsers = PersistentMap<string, PersistentSet<string>>;

/** What changed: ids by kind. */
export type ChangedIds = Readonly<Record<Holder["kind"] | "ssl", ReadonlySet<string>>>;

/** The tables before and after a change. */
export interface TableChange {
  readonly before: SnapshotTables;
  readonly after: SnapshotTables;
  readonly changed: ChangedIds;
}

/** The index after a change, and what is wrong now with each object that the change may have touched. */
export interface CertificateCheck {
  readonly users: CertificateUsers;
  /** By an object's key in the index; nothing wrong: an empty list. */
  readonly findings: ReadonlyMap<string, readonly Diagnostic[]>;
}

/**
 * Follows the client certificates that upstreams name: an object is looked at again when it changes and when the
 * certificate that it names comes, changes or goes.
 */
export function checkCertificateUsers(known: CertificateUsers, change: TableChange): CertificateCheck {
  const { after, before, changed } = change;
  let users = known;
  const touched = new Map<string, Holder>();
  for (const kind of HOLDERS) {
    for (const id of changed[kind]) {
      const [had, has] = [certificateOf(before, { kind, id }), certificateOf(after, { kind, id })];
      if (had === undefined && has === undefined) continue;
      const key = `${kind}/${id}`;
      touched.set(key, { kind, id });
      users = edit(
        edit(users, had, (keys) => keys.delete(key)),
        has,
        (keys) => keys.add(key),
      );
    }
  }
  for (const id of changed.ssl) for (const key of users.get(id) ?? []) touched.set(key, holderOf(key));
  return { users, findings: new Map([...touched].map(([key, holder]) => [key, findingsOf(holder, after)])) };
}

/** Requests of such an upstream get 502, as in APISIX. */
function findingsOf(holder: Holder, tables: SnapshotTables): readonly Diagnostic[] {
  const certificateId = certificateOf(tables, holder);
  if (certificateId === undefined) return [];
  const type = tables.ssl.get(certificateId)?.type;
  if (type === "client") return [];
  const problem = type === undefined ? "is not there" : "is a server's, not a client's";
  const path = holder.kind === "upstream" ? "tls.client_cert_id" : "upstream.tls.client_cert_id";
  const message = `the client certificate ssl/${certificateId} ${problem}`;
  return [{ ...holder, severity: "warning", code: "MISSING_REFERENCE", path, message }];
}

function certificateOf(tables: SnapshotTables, { kind, id }: Holder): string | undefined {
  const object: Pick<UpstreamChoice, "upstream"> | undefined = tables[kind].get(id);
  return typeof object?.upstream === "object" ? object.upstream.certificateId : undefined;
}

function holderOf(key: string): Holder {
  const slash = key.indexOf("/");
  return { kind: key.slice(0, slash) as Holder["kind"], id: key.slice(slash + 1) };
}

function edit(
  users: CertificateUsers,
  certificateId: string | undefined,
  change: (keys: PersistentSet<string>) => PersistentSet<string>,
): CertificateUsers {
  if (certificateId === undefined) return users;
  const keys = change(users.get(certificateId) ?? PersistentSet());
  return keys.size === 0 ? users.delete(certificateId) : users.set(certificateId, keys);
}
