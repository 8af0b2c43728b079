/** Stable name of a kind of finding. */
export type DiagnosticCode =
  | "NOT_AN_OBJECT"
  | "INVALID_KEY"
  | "INVALID_OBJECT"
  | "INVALID_PLUGIN"
  | "UNKNOWN_PLUGIN"
  | "INVALID_UPSTREAM"
  | "INVALID_CERTIFICATE"
  | "EXPIRED_CERTIFICATE"
  | "UNSUPPORTED_FIELD"
  | "AWAITED_SECRET"
  | "UNRESOLVED_REFERENCE"
  | "DUPLICATE_GLOBAL_PLUGIN"
  | "MISSING_REFERENCE";

/** One finding about one stored object; it never stops the others. */
export interface Diagnostic {
  /** Kind of the object (`route`), or the store directory when the key belongs to no known kind. */
  readonly kind: string;
  readonly id: string;
  /** `error`: the object (or this version of it) is not in use; `warning`: it is, without a part or not as it is meant. */
  readonly severity: "error" | "warning";
  readonly code: DiagnosticCode;
  /** Dotted path inside the object; empty when the whole object is meant. */
  readonly path: string;
  /** Lower-case text without secrets. */
  readonly message: string;
}

/** What compiling one object found, before kind and id are filled in. */
export type Finding = Omit<Diagnostic, "kind" | "id">;
