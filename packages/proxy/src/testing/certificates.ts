import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { tempDirectory } from "@fngate/test-kit";

const run = promisify(execFile);

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test, with what it signed. */
export interface TestCertificates {
  readonly ca: string;
  /** For `localhost`, `function.test` and 127.0.0.1. */
  readonly server: KeyPair;
  readonly client: KeyPair;
}

/** Makes a new authority and has it sign a server's and a client's certificate, with openssl. */
export async function createCertificates(): Promise<TestCertificates> {
  await using directory = await tempDirectory();
  const at = (name: string) => directory.file(name);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", [
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.pem"),
    "-subj",
    "/CN=test ca",
    "-days",
    "2",
  ]);
  const sign = async (name: string, extension: string): Promise<KeyPair> => {
    await writeFile(at(`${name}.ext`), extension);
    await run("openssl", [
      "req",
      ...newKey,
      "-keyout",
      at(`${name}.key`),
      "-out",
      at(`${name}.csr`),
      "-subj",
      `/CN=${name}`,
    ]);
    const by = [
      "-CA",
      at("ca.pem"),
      "-CAkey",
      at("ca.key"),
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      at(`${name}.ext`),
    ];
    await run("openssl", ["x509", "-req", "-in", at(`${name}.csr`), "-out", at(`${name}.pem`), ...by]);
    return { cert: await readFile(at(`${name}.pem`), "utf8"), key: await readFile(at(`${name}.key`), "utf8") };
  };
  const server = await sign("server", "subjectAltName=DNS:localhost,DNS:function.test,IP:127.0.0.1\n");
  const client = await sign("client", "extendedKeyUsage=clientAuth\n");
  return { ca: await readFile(at("ca.pem"), "utf8"), server, client };
}
