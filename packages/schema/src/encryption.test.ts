import { describe, expect, it } from "vitest";
import {
  createKeyring,
  DEFAULT_KEYRING,
  decryptFields,
  encryptFields,
  encryptPrivateKeys,
  findUnreadablePrivateKey,
} from "./encryption.ts";

const [FIRST, SECOND] = DEFAULT_KEYRING;
const keyring = createKeyring(DEFAULT_KEYRING);

describe("createKeyring", () => {
  it.each([
    [FIRST, "k1", "sGfoff/k5TVaPiyGca5e5w=="],
    [SECOND, "k1", "HECS6CNUPLONrhL0cpNwKw=="],
    [`${FIRST}${FIRST}`, "k1", "rcI9pGR985bFbGnhkrt9FQ=="],
    [FIRST, "Basic 123", "5UUNHdPNd9xUi9yNA73V5g=="],
    [FIRST, "test:test", "i+k/QR735gLr6ce4Y+itJA=="],
    [SECOND, "test:test", "8Hc6Esb3WRaeN6B0xrKSng=="],
  ])("with key %s turns %s into APISIX's %s and back", (key, plain, cipher) => {
    const single = createKeyring([key]);
    expect(single.encrypt(plain)).toBe(cipher);
    expect(single.decrypt(cipher)).toBe(plain);
  });

  it("encrypts with the first key and decrypts with any", () => {
    expect(keyring.encrypt("k1")).toBe("sGfoff/k5TVaPiyGca5e5w==");
    expect(keyring.decrypt("HECS6CNUPLONrhL0cpNwKw==")).toBe("k1");
  });

  it.each([["plain text"], [""], ["abcd"], ["AAAAAAAAAAAAAAAAAAAAAA=="], ["sGfoff/k5TVaPiyGca5e5w"]])(
    "does not decrypt %j",
    (text) => {
      expect(keyring.decrypt(text)).toBeUndefined();
    },
  );

  it("does not decrypt what a key it lacks encrypted", () => {
    expect(createKeyring(["0123456789abcdef"]).decrypt("sGfoff/k5TVaPiyGca5e5w==")).toBeUndefined();
  });

  it("keeps any text through the round trip", () => {
    for (const text of ["", "ü😀", "\ufeffmark", "x".repeat(1000), "0123456789abcdef"]) {
      expect(keyring.decrypt(keyring.encrypt(text))).toBe(text);
    }
  });

  it("leaves texts alone without keys", () => {
    const none = createKeyring([]);
    expect(none.encrypt("k1")).toBe("k1");
    expect(none.decrypt("sGfoff/k5TVaPiyGca5e5w==")).toBeUndefined();
  });

  it.each([["short"], ["0123456789abcdef0"], [""]])("refuses the key %j for its length", (key) => {
    expect(() => createKeyring([key])).toThrow(RangeError);
  });
});

describe("encryptFields", () => {
  const plain = {
    key: "k1",
    count: 1,
    auth: { token: "k1", other: "k1" },
    headers: { a: "k1", b: 2 },
    fallbacks: ["k1", 3],
    instances: [{ auth: { header: { x: "k1" } } }, { auth: {} }, "x"],
  };
  const paths = [
    "key",
    "count",
    "auth.token",
    "headers",
    "fallbacks",
    "instances.auth.header",
    "missing.deep",
    "key.x",
  ];
  const cipher = "sGfoff/k5TVaPiyGca5e5w==";
  const encrypted = {
    key: cipher,
    count: 1,
    auth: { token: cipher, other: "k1" },
    headers: { a: cipher, b: 2 },
    fallbacks: [cipher, 3],
    instances: [{ auth: { header: { x: cipher } } }, { auth: {} }, "x"],
  };

  it("encrypts strings, strings of arrays and values of maps, and enters arrays on the way", () => {
    const before = structuredClone(plain);
    expect(encryptFields(plain, paths, keyring)).toEqual(encrypted);
    expect(plain).toEqual(before);
  });

  it("is undone by decryptFields", () => {
    expect(decryptFields(encrypted, paths, keyring)).toEqual(plain);
  });

  it("keeps what does not decrypt", () => {
    expect(decryptFields({ key: "written by hand" }, ["key"], keyring)).toEqual({ key: "written by hand" });
  });

  it("encrypts references to secrets like any text", () => {
    const { key } = encryptFields({ key: "$env://KEY" }, ["key"], keyring);
    expect(keyring.decrypt(key)).toBe("$env://KEY");
  });

  it("does not walk into prototypes", () => {
    expect(encryptFields({ a: 1 }, ["__proto__.polluted", "constructor.name"], keyring)).toEqual({ a: 1 });
    const map = encryptFields({ headers: JSON.parse('{"__proto__":"k1"}') }, ["headers"], keyring);
    expect(Object.getPrototypeOf(map.headers)).toBe(Object.prototype);
  });

  it.each([["x"], [null], [1], [[]]])("returns %j as it is", (value) => {
    expect(encryptFields<unknown>(value, ["a"], keyring)).toEqual(value);
  });
});

describe("encryptPrivateKeys", () => {
  it("encrypts PEM and passes references and ciphertext through", () => {
    const pem = "-----BEGIN PRIVATE KEY-----";
    const value = { key: pem, keys: [pem, "$secret://vault/1/key", keyring.encrypt(pem)] };
    expect(encryptPrivateKeys(value, ["key", "keys"], keyring)).toEqual({
      key: keyring.encrypt(pem),
      keys: [keyring.encrypt(pem), "$secret://vault/1/key", keyring.encrypt(pem)],
    });
  });
});

describe("findUnreadablePrivateKey", () => {
  const pem = "-----BEGIN PRIVATE KEY-----";
  const foreign = createKeyring(["0123456789abcdef"]).encrypt(pem);

  it.each([
    { title: "PEM", value: { key: pem } },
    { title: "a reference", value: { key: "$secret://vault/1/key" } },
    { title: "what this keyring encrypted", value: { key: keyring.encrypt(pem) } },
    { title: "what another one encrypted", value: { key: foreign }, expected: { path: "key", position: 1 } },
    {
      title: "one of several keys",
      value: { key: pem, keys: [pem, foreign] },
      expected: { path: "keys", position: 2 },
    },
    { title: "a field that is no key", value: { cert: foreign } },
  ])("finds $expected in $title", ({ value, expected }) => {
    expect(findUnreadablePrivateKey(value, ["key", "keys"], keyring)).toEqual(expected);
  });
});
