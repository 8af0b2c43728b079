import { X509Certificate } from "node:crypto";
import { type Certificates, createCertificates } from "@fngate/test-kit";
import { beforeAll, describe, expect, test } from "vitest";
import { type ChainLink, countIntermediates } from "./certificate-chain.ts";

let made: Certificates;

beforeAll(async () => {
  made = await createCertificates({ intermediates: 2 });
});

const read = (pem: string) => pem.split(/(?=-----BEGIN)/).map((block) => new X509Certificate(block));

/** The client's certificate as Node tells it when it tells the chain. */
function told(chain: readonly X509Certificate[]): ChainLink {
  const [first, ...rest] = chain;
  if (first === undefined) throw new Error("a chain has a first certificate");
  return {
    checkIssued: (issuer) => first.checkIssued(issuer),
    issuerCertificate: rest.length === 0 ? undefined : (told(rest) as X509Certificate),
  };
}

describe("certificates between a client's and the authority's", () => {
  test("are counted where Node tells the chain, with and without its end", () => {
    const [ca, chain] = [read(made.ca), read(made.client.cert)];
    expect(countIntermediates(told(chain), ca)).toBe(2);
    expect(countIntermediates(told([...chain, ...ca]), ca)).toBe(2);
    expect(countIntermediates(told(read(made.server.cert)), ca)).toBe(0);
  });

  test("are those of the configuration where they are there", () => {
    const [leaf, ...between] = read(made.client.cert);
    expect(countIntermediates(told(leaf === undefined ? [] : [leaf]), [...between, ...read(made.ca)])).toBe(2);
  });

  test("are at least one where Node tells nothing and the authority issued another", () => {
    const [leaf] = read(made.client.cert);
    expect(countIntermediates(told(leaf === undefined ? [] : [leaf]), read(made.ca))).toBe(1);
  });
});
