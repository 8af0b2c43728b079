import { Map as PersistentMap } from "immutable";
import type { CompiledSsl } from "./snapshot.ts";

/** The certificate objects of servers, found by name; immutable. */
export class SniIndex {
  static readonly empty = new SniIndex(PersistentMap(), 0);
  readonly #byName: PersistentMap<string, readonly CompiledSsl[]>;
  readonly #verifying: number;

  private constructor(byName: PersistentMap<string, readonly CompiledSsl[]>, verifying: number) {
    this.#byName = byName;
    this.#verifying = verifying;
  }

  /** Whether some object asks for client certificates: else nothing has to be looked up per request. */
  get verifiesClients(): boolean {
    return this.#verifying > 0;
  }

  /** With one object in place of its version before; either may be absent or no server's, and then is in no list. */
  with(previous: CompiledSsl | undefined, next: CompiledSsl | undefined): SniIndex {
    const before = isListed(previous) ? previous : undefined;
    const after = isListed(next) ? next : undefined;
    const byName = this.#byName.withMutations((edited) => {
      for (const name of new Set([...(before?.names ?? []), ...(after?.names ?? [])])) {
        const list = replaced(edited.get(name) ?? [], before, after?.names.includes(name) ? after : undefined);
        if (list.length === 0) edited.delete(name);
        else edited.set(name, list);
      }
    });
    const verifying = this.#verifying - Number(isVerifying(before)) + Number(isVerifying(after));
    return new SniIndex(byName, verifying);
  }

  /**
   * The object for a name, lower case and without trailing dot: an exact name, else the longest wildcard, which must
   * stand for one label; when it does not, shorter ones are not tried. Of two objects with the same name the one that
   * was there first counts. Source: APISIX tls, choosing a certificate.
   */
  find(name: string): CompiledSsl | undefined {
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact[0];
    // Names are at most 255 bytes long, and a handshake costs far more than as many look-ups.
    for (let start = 0; start < name.length; start += 1) {
      const list = this.#byName.get(`*${name.slice(start)}`);
      if (list !== undefined) return name.lastIndexOf(".", start - 1) < 0 || start === 0 ? list[0] : undefined;
    }
    return this.#byName.get("*")?.[0];
  }
}

function isListed(ssl: CompiledSsl | undefined): ssl is CompiledSsl {
  return ssl?.type === "server" && ssl.isEnabled;
}

function isVerifying(ssl: CompiledSsl | undefined): boolean {
  return ssl?.client !== undefined;
}

/** A changed object keeps its place, so that a change alters nobody else's precedence. */
function replaced(
  list: readonly CompiledSsl[],
  before: CompiledSsl | undefined,
  after: CompiledSsl | undefined,
): readonly CompiledSsl[] {
  const at = before === undefined ? -1 : list.findIndex(({ id }) => id === before.id);
  if (at < 0) return after === undefined ? list : [...list, after];
  return after === undefined ? list.toSpliced(at, 1) : list.with(at, after);
}
