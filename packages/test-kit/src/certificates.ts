import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type TempDirectory, tempDirectory } from "./temp-directory.ts";

const run = promisify(execFile);

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A throw-away authority and what it signed. */
export interface Certificates {
  /** The authority's certificate, PEM. */
  readonly ca: string;
  /** Valid for the server names asked for, as server and as client. */
  readonly server: KeyPair;
  /** Valid as client; without a common name, which etcd's JSON gateway refuses beside a login. */
  readonly client: KeyPair;
}

export interface CertificatesOptions {
  /** Names and addresses the server certificate is valid for; default: `127.0.0.1`, `::1` and `localhost`. */
  readonly names?: readonly string[];
  /** Authorities between ours and the client's certificate, which then comes as a chain; default none. */
  readonly intermediates?: number;
  /** Of every key; default `ec` (P-256). */
  readonly keyType?: KeyType;
  /** The server's certificate ended yesterday. */
  readonly isServerExpired?: boolean;
}

/** What a key is for: signatures by ECDSA or by RSA. */
export type KeyType = "ec" | "rsa";

const KEY_OPTIONS: Readonly<Record<KeyType, readonly string[]>> = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  rsa: ["-newkey", "rsa:2048"],
};

/** Makes an authority, a server and a client certificate with the `openssl` command, valid for two days unless asked for otherwise. */
export async function createCertificates(options: CertificatesOptions = {}): Promise<Certificates> {
  const { intermediates = 0, keyType = "ec", names = ["127.0.0.1", "::1", "localhost"] } = options;
  const days = options.isServerExpired === true ? -1 : undefined;
  await using directory = await tempDirectory();
  const alternatives = names.map((name) => (isAddress(name) ? `IP:${name}` : `DNS:${name}`)).join(",");
  const authority = ["basicConstraints=critical,CA:TRUE"];
  const ca = await issue(directory, { name: "ca", keyType, extensions: authority });
  const leaf = ["basicConstraints=CA:FALSE", "extendedKeyUsage=serverAuth,clientAuth"];
  const server = await issue(directory, {
    name: "server",
    keyType,
    issuer: "ca",
    extensions: [...leaf, `subjectAltName=${alternatives}`],
    ...(days && { days }),
  });
  const chain: KeyPair[] = [];
  for (let level = 0; level < intermediates; level += 1) {
    const issuer = level === 0 ? "ca" : `ca-${level}`;
    chain.unshift(await issue(directory, { name: `ca-${level + 1}`, keyType, issuer, extensions: authority }));
  }
  const issuer = intermediates === 0 ? "ca" : `ca-${intermediates}`;
  const client = await issue(directory, { name: "client", keyType, issuer, extensions: leaf });
  const cert = [client, ...chain].map((pair) => pair.cert).join("");
  return { ca: ca.cert, server, client: { cert, key: client.key } };
}

interface Request {
  /** Goes into the subject, and is the stem of the files. */
  readonly name: string;
  readonly keyType: KeyType;
  readonly issuer?: string;
  /** How long it is valid from now on; default 2. */
  readonly days?: number;
  readonly extensions: readonly string[];
}

async function issue(directory: TempDirectory, request: Request): Promise<KeyPair> {
  const { days = 2, extensions, issuer = request.name, keyType, name } = request;
  const [config, key, cert] = [
    directory.file(`${name}.cnf`),
    directory.file(`${name}.key`),
    directory.file(`${name}.pem`),
  ];
  const sections = ["[req]", "distinguished_name = dn", "prompt = no", "[dn]", `O = fngate ${name}`, "[extensions]"];
  await writeFile(config, [...sections, ...extensions, ""].join("\n"));
  const wanted = directory.file(`${name}.csr`);
  await run("openssl", [
    "req",
    "-new",
    ...KEY_OPTIONS[keyType],
    "-nodes",
    "-config",
    config,
    "-keyout",
    key,
    "-out",
    wanted,
  ]);
  const signer =
    issuer === name
      ? ["-key", key]
      : ["-CA", directory.file(`${issuer}.pem`), "-CAkey", directory.file(`${issuer}.key`), "-CAcreateserial"];
  // Unlike `req -x509`, this takes a number of days below zero.
  const output = ["-extfile", config, "-extensions", "extensions", "-out", cert, "-days", String(days)];
  await run("openssl", ["x509", "-req", "-in", wanted, ...signer, ...output]);
  return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}

function isAddress(name: string): boolean {
  return name.includes(":") || /^[\d.]+$/.test(name);
}
