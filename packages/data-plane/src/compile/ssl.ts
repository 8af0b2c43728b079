import { type CompiledExpression, compileExpression, unsupportedPatterns } from "@fngate/router/expr";
import { registry } from "@fngate/schema";
import { type PairProblem, type ReadPair, readCertificates, readPair } from "./key-pair.ts";
import { buildObject, type ObjectStage } from "./object-stage.ts";
import { resolveReferences } from "./resolve-references.ts";
import type { ClientVerification, CompiledSsl, TlsKeyPair } from "./snapshot.ts";
import { readResource, type StoredValue } from "./stored-object.ts";

/** What is stored of a certificate object, as far as it says what to serve. */
interface StoredSsl {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly certs?: readonly string[] | undefined;
  readonly keys?: readonly string[] | undefined;
  readonly client?: StoredVerification | undefined;
  readonly sni?: string | undefined;
  readonly snis?: readonly string[] | undefined;
}

interface StoredVerification {
  readonly ca: string;
  readonly depth: number;
  readonly skip_mtls_uri_regex?: readonly string[] | undefined;
}

/**
 * Compiles a certificate object. Unlike APISIX it is unusable when a key does not belong to its certificate: every
 * handshake with it would fail.
 */
export function compileSsl(id: string, stored: StoredValue, stage: ObjectStage): CompiledSsl | undefined {
  const ssl = readResource(registry.byKind("ssl"), stored, stage);
  if (ssl === undefined) return undefined;
  const pairs = readPairs(ssl, stage);
  if (pairs === undefined) return undefined;
  const client = ssl.client === undefined ? undefined : readVerification(ssl.client, stage);
  if (ssl.client !== undefined && client === undefined) return undefined;
  return buildObject({ id, plugins: undefined }, stage, (object) => ({
    ...object,
    type: ssl.type,
    isEnabled: ssl.status === 1,
    names: namesOf(ssl),
    pairs,
    client,
    protocols: ssl.ssl_protocols,
  }));
}

/** Lower case and without one trailing dot (APISIX: `ssls`, sni). */
function namesOf({ sni, snis = [] }: StoredSsl): readonly string[] {
  const names = sni === undefined ? snis : [sni];
  return names.map((name) => (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase());
}

function readPairs(ssl: StoredSsl, stage: ObjectStage): readonly TlsKeyPair[] | undefined {
  const { certs = [], keys = [] } = ssl;
  if (certs.length !== keys.length) {
    return stage.findings.error("INVALID_CERTIFICATE", "certs", "mismatched number of certs and keys");
  }
  const pairs: TlsKeyPair[] = [];
  const stored = [[ssl.cert, ssl.key] as const, ...certs.map((cert, index) => [cert, keys[index]] as const)];
  for (const [index, [cert = "", key = ""]] of stored.entries()) {
    const place = index === 0 ? { cert: "cert", key: "key" } : { cert: `certs.${index - 1}`, key: `keys.${index - 1}` };
    const pair = { cert: resolved(cert, place.cert, stage), key: resolved(key, place.key, stage) };
    const read = readSoundPair(pair);
    if ("part" in read) return stage.findings.error("INVALID_CERTIFICATE", place[read.part], read.message);
    warnIfExpired(read, place.cert, stage);
    pairs.push(pair);
  }
  return pairs;
}

/** A text, or what it refers to. */
function resolved(text: string, path: string, { deps, findings }: ObjectStage): string {
  return String(resolveReferences(text, path, { environment: deps.environment, secrets: deps.secrets, findings }));
}

function readSoundPair(pair: TlsKeyPair): ReadPair | PairProblem {
  const read = readPair(pair);
  if ("part" in read || read.leaf.checkPrivateKey(read.privateKey)) return read;
  return { part: "key", message: "the key does not belong to the cert" };
}

/** It is served all the same, as in APISIX: clients that do not look at its end go on. */
function warnIfExpired({ leaf }: ReadPair, path: string, { deps, findings }: ObjectStage): void {
  const end = leaf.validToDate;
  if (end.getTime() > deps.clock.now()) return;
  findings.warn("EXPIRED_CERTIFICATE", path, `the certificate ended at ${end.toISOString()}`);
}

function readVerification(stored: StoredVerification, stage: ObjectStage): ClientVerification | undefined {
  const ca = resolved(stored.ca, "client.ca", stage);
  const authorities = readCertificates(ca);
  if (authorities.length === 0) {
    return stage.findings.error("INVALID_CERTIFICATE", "client.ca", "failed to parse the authority's cert");
  }
  const patterns = stored.skip_mtls_uri_regex;
  return {
    ca,
    authorities,
    maxDepth: stored.depth,
    skip: patterns?.map((pattern, index) => compileSkip(pattern, `client.skip_mtls_uri_regex.${index}`, stage)),
  };
}

/** A pattern that cannot be run skips nothing, so that no certificate is waived by mistake. */
function compileSkip(pattern: string, path: string, { findings }: ObjectStage): CompiledExpression {
  const condition = [["uri", "~~", pattern]];
  if (unsupportedPatterns(condition).length > 0) {
    findings.warn("UNSUPPORTED_FIELD", path, `the regular expression is not supported and matches nothing: ${pattern}`);
  }
  return compileExpression(condition);
}
