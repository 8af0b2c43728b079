import type { GatewayRequest, RequestBody } from "@fngate/plugin-kit";
import { compileJsonPath, type JsonPath } from "@fngate/router/expr";
import { type BodyFields, decodeText, parseFormFields, parseMultipartFields } from "./body-fields.ts";
import type { ClientConnection } from "./client-connection.ts";
import { type GraphqlFacts, readGraphql } from "./graphql-variables.ts";
import { readArgument } from "./query-arguments.ts";

/** Up to how many bytes of a body variables look into; larger ones have none. */
export interface BodyVariableLimits {
  /** APISIX: `apisix.max_post_args_readable_size`; 0: no limit. */
  readonly postArgumentBytes: number;
  /** APISIX: `graphql.max_size`. */
  readonly graphqlBytes: number;
}

/** APISIX's defaults: 64 MiB and 1 MiB. */
export const DEFAULT_BODY_VARIABLE_LIMITS: BodyVariableLimits = {
  postArgumentBytes: 64 * 1024 * 1024,
  graphqlBytes: 1024 * 1024,
};

/** A request whose body may have been read already, and the connection it came on. */
export interface VariableSource extends GatewayRequest {
  readonly body: RequestBody & { readonly bytes?: Uint8Array | undefined };
  readonly connection?: ClientConnection | undefined;
  readonly isPipelined?: boolean | undefined;
}

/** Tells names of variables that are read from the body from all others. */
export function isBodyVariable(name: string): boolean {
  return name.startsWith("post_arg") || name.startsWith("graphql_");
}

/** Whether a `vars` expression, as stored, asks for a variable that is read from the body. */
export function namesBodyVariable(vars: unknown): boolean {
  if (!Array.isArray(vars)) return false;
  const elements: readonly unknown[] = vars;
  const [name] = elements;
  return typeof name === "string" && isBodyVariable(name) ? true : elements.some(namesBodyVariable);
}

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
const MULTIPART_TYPE = "multipart/form-data";

/**
 * The variables that are read from a request's body: `post_arg_<name>`, `post_arg.<path>` and `graphql_*`.
 *
 * Reading is never waited for here: a variable of a body that nobody has read yet is absent, and
 * {@link BodyVariables.wantedBytes} tells that it would not have to be.
 */
export class BodyVariables {
  readonly #request: VariableSource;
  readonly #limits: BodyVariableLimits;
  #wantedBytes = 0;
  /** `null`: looked for and not there. */
  #document: unknown = undefined;
  #form: BodyFields | undefined = undefined;
  #graphql: GraphqlFacts | null | undefined = undefined;

  constructor(request: VariableSource, limits: BodyVariableLimits) {
    this.#request = request;
    this.#limits = limits;
  }

  /** How much of the body has to be read before the variables asked for can be answered; 0: none. */
  get wantedBytes(): number {
    return this.#wantedBytes;
  }

  get(name: string): unknown {
    if (name.startsWith("post_arg.")) return this.#postArgumentPath(name.slice(9));
    if (name.startsWith("post_arg_")) return this.#postArgument(name.slice(9));
    return this.#graphqlFact(name);
  }

  get #contentType(): string {
    return this.#request.headers.get("content-type") ?? "";
  }

  #postArgument(name: string): unknown {
    if (!this.#contentType.startsWith(FORM_TYPE)) return undefined;
    const value = this.#formFields()?.[name];
    return Array.isArray(value) ? value[0] : value;
  }

  #postArgumentPath(path: string): unknown {
    const document = this.#readDocument();
    if (document === undefined || document === null) return undefined;
    return compiledPath(path)(document);
  }

  /** The body by its type, parsed once. */
  #readDocument(): unknown {
    if (this.#document !== undefined) return this.#document;
    const type = this.#contentType;
    if (type.includes(FORM_TYPE)) return this.#formFields();
    if (!type.includes(JSON_TYPE) && !type.includes(MULTIPART_TYPE)) return null;
    const bytes = this.#bytes(this.#postArgumentLimit);
    if (bytes === undefined) return undefined;
    this.#document = (type.includes(JSON_TYPE) ? parseJson(bytes) : parseMultipartFields(bytes, type)) ?? null;
    return this.#document;
  }

  #formFields(): BodyFields | undefined {
    if (this.#form === undefined) {
      const bytes = this.#bytes(this.#postArgumentLimit);
      if (bytes !== undefined) this.#form = parseFormFields(decodeText(bytes));
    }
    return this.#form;
  }

  #graphqlFact(name: string): unknown {
    const facts = this.#readGraphql();
    if (facts === undefined || facts === null) return undefined;
    if (name === "graphql_operation") return facts.operation;
    if (name === "graphql_name") return facts.name;
    return name === "graphql_root_fields" ? facts.rootFields : undefined;
  }

  #readGraphql(): GraphqlFacts | null | undefined {
    if (this.#graphql !== undefined) return this.#graphql;
    const { method, query } = this.#request;
    const text = method === "GET" ? readArgument(query, "query") : method === "POST" ? this.#graphqlText() : null;
    if (text === undefined) return undefined;
    this.#graphql = (typeof text === "string" ? readGraphql(text) : undefined) ?? null;
    return this.#graphql;
  }

  #graphqlText(): unknown {
    const bytes = this.#bytes(this.#limits.graphqlBytes);
    if (bytes === undefined) return undefined;
    if (this.#contentType !== JSON_TYPE) return decodeText(bytes);
    const value = parseJson(bytes);
    return typeof value === "object" && value !== null && "query" in value ? value.query : null;
  }

  get #postArgumentLimit(): number {
    return this.#limits.postArgumentBytes || Number.POSITIVE_INFINITY;
  }

  #bytes(limit: number): Uint8Array | undefined {
    const { body } = this.#request;
    if (!body.isPresent || (body.declaredBytes ?? 0) > limit) return undefined;
    if (body.bytes !== undefined) return body.bytes.length > limit ? undefined : body.bytes;
    this.#wantedBytes = Math.max(this.#wantedBytes, limit);
    return undefined;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeText(bytes));
  } catch {
    return undefined;
  }
}

/** Paths come with the configuration, so there are few; the bound is for a configuration that keeps changing. */
const MOST_PATHS = 1_000;
const paths = new Map<string, (document: unknown) => unknown>();

function compiledPath(path: string): (document: unknown) => unknown {
  let read = paths.get(path);
  if (read === undefined) {
    if (paths.size >= MOST_PATHS) paths.clear();
    read = compilePath(path);
    paths.set(path, read);
  }
  return read;
}

/** A JSONPath selects a list, absent when empty; a plain dotted path one member (APISIX variables: post arguments). */
function compilePath(path: string): (document: unknown) => unknown {
  if (!/[[*]|\.\./.test(path)) {
    const names = path.split(".");
    return (document) => names.reduce(memberOf, document);
  }
  const select = tryCompile(path);
  return (document) => {
    const found = select(document);
    return found.length === 0 ? undefined : found;
  };
}

/** Routes with a path that cannot be read are refused; what plugins ask for beyond that finds nothing. */
function tryCompile(path: string): JsonPath {
  try {
    return compileJsonPath(path);
  } catch {
    return () => [];
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
