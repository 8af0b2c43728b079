/** How the ids of a kind are found in URLs and bodies; what is absent is as for most kinds. */
export interface NamingRules {
  /** Where its URLs start; `:parent` stands for the id of the object it belongs to. Default: `/<plural>`. */
  readonly path?: string;
  /** The object that `:parent` names. */
  readonly parent?: ParentRules;
  /** False when a PATCH merges whatever follows the id; default: what follows leads to an attribute. */
  readonly hasSubPaths?: false;
  /** How many URL segments make an id, 1 by default; with fewer of them a GET lists what starts with those. */
  readonly segments?: 1 | 2;
  /** Whole `error_msg` of a request without id; default: `missing <label> id`. */
  readonly missing?: Readonly<Partial<Record<"PUT" | "PATCH" | "DELETE", string>>>;
  /** Finds the id of what a PUT or PATCH stores; default: {@link byUrlOrBody}. */
  readonly identify?: Identify;
}

/** How the objects of a kind belong to those of another. */
export interface ParentRules {
  /** Kind of the owners. */
  readonly kind: string;
  /** Whole `error_msg` of a write below an owner that does not exist. */
  readonly missing: string;
  /** True when the owner is looked up before the object is checked; default: after. */
  readonly isFirst?: true;
  /** Whole `error_msg` of `/<plural>`, without an owner; default: there is no such path. */
  readonly alone?: string;
  /** Member in which an object carries its owner's id; clients may leave it out. */
  readonly member?: {
    readonly name: string;
    /** Whole `error_msg` of a body that names another owner. */
    readonly wrong: string;
    /** Whole `error_msg` of a PATCH that names one. */
    readonly patched: string;
  };
}

/** What {@link NamingRules.identify} looks at. */
export interface IdRequest {
  /** The kind in messages. */
  readonly label: string;
  /** Id in the URL. */
  readonly urlId: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Finds the id of a body and gives the object that is stored under it. */
export type Identify = (request: IdRequest) => Identified;

/** An id as it came (validation has not seen it) and the object to store; or what is wrong. */
export type Identified =
  | { readonly ok: true; readonly id: unknown; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: "missing" | "wrong" };

/** The URL's id in its string form, else the body's with its own type; wrong when both are there and differ. */
export const byUrlOrBody: Identify = ({ urlId, body }) => {
  const bodyId = own(body, "id");
  if (urlId === undefined) {
    return bodyId === undefined ? { ok: false, problem: "missing" } : { ok: true, id: bodyId, value: body };
  }
  if (bodyId !== undefined && textOf(bodyId) !== urlId) return { ok: false, problem: "wrong" };
  return { ok: true, id: urlId, value: withId(body, urlId) };
};

/** The URL's id, whatever the body says. */
export const byUrl: Identify = ({ urlId, body }) =>
  urlId === undefined ? { ok: false, problem: "missing" } : { ok: true, id: urlId, value: withId(body, urlId) };

/** A member of the body other than `id`; the body is stored as it came. */
export function byMember(name: string): Identify {
  return ({ body }) => ({ ok: true, id: own(body, name), value: body });
}

function own(body: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(body, name) ? body[name] : undefined;
}

function textOf(id: unknown): string | undefined {
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}

/** A copy with its id last; `__proto__` is a name like any other. */
function withId(body: Readonly<Record<string, unknown>>, id: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...Object.entries(body).filter(([key]) => key !== "id"), ["id", id]]);
}
