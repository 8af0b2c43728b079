import { createHash, randomInt, timingSafeEqual } from "node:crypto";

/** A double-submit token: base64 of a JSON object of these (APISIX: csrf). */
interface Token {
  readonly random: number | string;
  /** Seconds since the epoch at which it was made, whatever the name says. */
  readonly expires: number | string;
  readonly sign: string;
}

/** Why a token is not taken; for the log, the client is not told. */
export type TokenProblem = "not readable" | "expired" | "signed with another key";

/** Fourteen digits: what APISIX prints of a number, so that both sign the same text. */
const RANDOM_LIMIT = 10 ** 14;

/** Makes a token that was signed `nowSeconds` after the epoch. */
export function createToken(key: string, nowSeconds: number): string {
  const random = randomInt(RANDOM_LIMIT);
  const token: Token = { random, expires: nowSeconds, sign: signatureOf(random, nowSeconds, key) };
  return Buffer.from(JSON.stringify(token)).toString("base64");
}

/** What is wrong with a token, if anything; `maxAgeSeconds` of 0 or less takes one of any age. */
export function findTokenProblem(
  text: string,
  key: string,
  { maxAgeSeconds, nowSeconds }: { readonly maxAgeSeconds: number; readonly nowSeconds: number },
): TokenProblem | undefined {
  const token = parseToken(text);
  if (token === undefined) return "not readable";
  if (maxAgeSeconds > 0 && !(nowSeconds - Number(token.expires) <= maxAgeSeconds)) return "expired";
  const expected = Buffer.from(signatureOf(token.random, token.expires, key));
  const given = Buffer.from(token.sign);
  const isSigned = given.length === expected.length && timingSafeEqual(given, expected);
  return isSigned ? undefined : "signed with another key";
}

function signatureOf(random: number | string, expires: number | string, key: string): string {
  return createHash("sha256").update(`{expires:${expires},random:${random},key:${key}}`).digest("hex");
}

function parseToken(text: string): Token | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
  } catch {
    return undefined;
  }
  return isToken(parsed) ? parsed : undefined;
}

function isToken(value: unknown): value is Token {
  if (typeof value !== "object" || value === null) return false;
  const { expires, random, sign } = value as Partial<Record<keyof Token, unknown>>;
  return isScalar(expires) && isScalar(random) && typeof sign === "string";
}

function isScalar(value: unknown): boolean {
  return typeof value === "number" || typeof value === "string";
}
