import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { tempDirectory } from "@fngate/test-kit";
import { expect, test } from "vitest";
import { distinguishedName } from "./distinguished-name.ts";

const run = promisify(execFile);

test.each([
  { subject: "/O=fngate client" },
  { subject: "/C=DE/O=Some Company/CN=client" },
  { subject: "/O=M\u00fcller & S\u00f6hne/CN=\u65e5\u672c" },
  { subject: '/O=Some\\, "Quoted"; <Co>/CN=#one\\+two' },
  { subject: "/O=one+OU=two/CN=three" },
  { subject: "/O= leading and trailing /CN=a\\\\b" },
  { subject: "/emailAddress=a@b.test/CN=client" },
])("a subject is written as OpenSSL writes it: $subject", async ({ subject }) => {
  await using directory = await tempDirectory();
  const [key, cert] = [directory.file("key.pem"), directory.file("cert.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-utf8", "-multivalue-rdn", "-subj", subject];
  await run("openssl", ["req", "-x509", ...kind, ...name, "-keyout", key, "-out", cert]);
  const { stdout } = await run("openssl", ["x509", "-in", cert, "-noout", "-subject", "-nameopt", "RFC2253"]);
  const certificate = new X509Certificate(await readFile(cert, "utf8"));
  expect(`subject=${distinguishedName(certificate.subject)}\n`).toBe(stdout);
});
