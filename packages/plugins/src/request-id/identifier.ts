import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { RequestIdConfig } from "./schema.ts";

/** Makes one identifier. */
export type IdentifierMaker = () => string;

/** Alphabet and length of nanoid's default. */
const NANOID = { length: 21, char_set: "useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict" };

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Where KSUID's time begins, seconds since 1970. */
const KSUID_EPOCH = 1_400_000_000;

/** The maker of a configuration; `now` is the time in milliseconds. */
export function identifierMaker({ algorithm, range_id: range }: RequestIdConfig, now: () => number): IdentifierMaker {
  switch (algorithm) {
    case "uuid":
      return randomUUID;
    case "uuidv7":
      return () => uuidv7(now());
    case "nanoid":
      return () => pick(NANOID);
    case "range_id":
      return () => pick(range);
    case "ksuid":
      return () => ksuid(now());
  }
}

function pick({ char_set: characters, length }: RequestIdConfig["range_id"]): string {
  let text = "";
  for (let index = 0; index < length; index += 1) text += characters[randomInt(characters.length)];
  return text;
}

/** RFC 9562, section 5.7. */
function uuidv7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Seconds and 16 random bytes as 27 characters of base 62, which sort by time. */
function ksuid(nowMs: number): string {
  const bytes = randomBytes(20);
  bytes.writeUInt32BE(Math.floor(nowMs / 1000) - KSUID_EPOCH, 0);
  let rest = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  while (rest > 0n) {
    text = `${BASE62[Number(rest % 62n)]}${text}`;
    rest /= 62n;
  }
  return text.padStart(27, "0");
}
