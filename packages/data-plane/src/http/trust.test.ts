import { HeaderList } from "@fngate/kernel";
import { describe, expect, test } from "vitest";
import { compileAddressList, plainAddress } from "./address-list.ts";
import { createClientIdentity } from "./client-identity.ts";
import { withForwardedHeaders } from "./forwarded-headers.ts";

const observed = { scheme: "http", rawHost: "Seen:81", host: "seen", localPort: 9080 } as const;
const claimed = [
  "X-Forwarded-Proto",
  "https",
  "X-Forwarded-Host",
  "claimed",
  "X-Forwarded-Port",
  "",
  "Forwarded",
  "for=1",
  "X-Forwarded-For",
  "9.9.9.9",
];

describe("forwarding headers", () => {
  test("of a stranger are overwritten; its X-Forwarded-For stays while nobody is trusted", () => {
    const headers = withForwardedHeaders(claimed, observed, { isPeerTrusted: false, hasTrustList: false });
    expect(headers.getAll("x-forwarded-proto")).toEqual(["http"]);
    expect(headers.getAll("x-forwarded-host")).toEqual(["Seen:81"]);
    expect(headers.getAll("x-forwarded-port")).toEqual(["81"]);
    expect(headers.get("forwarded")).toBeUndefined();
    expect(headers.get("x-forwarded-for")).toBe("9.9.9.9");
  });

  test("of a stranger lose the chain once somebody is trusted", () => {
    const headers = withForwardedHeaders(claimed, observed, { isPeerTrusted: false, hasTrustList: true });
    expect(headers.get("x-forwarded-for")).toBeUndefined();
  });

  test("of a trusted peer are kept where they say something", () => {
    const headers = withForwardedHeaders(claimed, observed, { isPeerTrusted: true, hasTrustList: true });
    expect(headers.getAll("x-forwarded-proto")).toEqual(["https"]);
    expect(headers.getAll("x-forwarded-host")).toEqual(["claimed"]);
    expect(headers.getAll("x-forwarded-port")).toEqual(["81"]);
    expect(headers.get("forwarded")).toBe("for=1");
  });

  test.each([
    ["h", "9080"],
    ["h:1", "1"],
    ["[::1]", "9080"],
    ["[::1]:2", "2"],
    ["", "9080"],
  ])("a Host of %j gives the port %s", (rawHost, port) => {
    const headers = withForwardedHeaders([], { ...observed, rawHost }, { isPeerTrusted: false, hasTrustList: false });
    expect(headers.get("x-forwarded-port")).toBe(port);
  });

  test("cannot be taken away, nor Host, by naming them in Connection", () => {
    const raw = ["Host", "h", "Connection", "close, Host, X-Forwarded-Proto, X-Own", "X-Own", "1"];
    const headers = withForwardedHeaders(raw, observed, { isPeerTrusted: false, hasTrustList: false });
    expect(headers.get("host")).toBe("h");
    expect(headers.get("x-forwarded-proto")).toBe("http");
    expect(headers.get("x-own")).toBeUndefined();
    expect(headers.get("connection")).toBeUndefined();
  });
});

describe("the client's address", () => {
  const from = (value: string) => new HeaderList(["X-Real-IP", value]);

  test.each([
    ["127.0.0.1", "8.8.8.8", "8.8.8.8"],
    ["127.0.0.1", "8.8.8.8:99", "8.8.8.8"],
    ["127.0.0.1", "[::5]:99", "::5"],
    ["127.0.0.1", "nonsense", "127.0.0.1"],
    ["127.0.0.1", "1.1.1.1, 2.2.2.2", "2.2.2.2"],
    ["10.0.0.1", "8.8.8.8", "10.0.0.1"],
  ])("for peer %s and X-Real-IP %j is %s by default", (peer, value, address) => {
    expect(createClientIdentity().addressOf(peer, from(value))).toBe(address);
  });

  test("is the last stranger of the chain when asked to look through believed proxies", () => {
    const identity = createClientIdentity({ header: "X-Forwarded-For", from: ["10.0.0.0/8"], recursive: true });
    const chain = new HeaderList(["X-Forwarded-For", "6.6.6.6, 7.7.7.7, 10.1.1.1"]);
    expect(identity.addressOf("10.0.0.1", chain)).toBe("7.7.7.7");
    expect(identity.addressOf("9.0.0.1", chain)).toBe("9.0.0.1");
  });
});

test("address lists take addresses and ranges of both families, and refuse anything else", () => {
  const isListed = compileAddressList(["10.0.0.0/8", "1.2.3.4", "fd00::/8", "::ffff:9.9.9.9"]);
  expect(["10.9.9.9", "1.2.3.4", "fd12::1", "9.9.9.9"].every(isListed)).toBe(true);
  expect(["11.0.0.1", "1.2.3.5", "fe80::1", "", "x"].some(isListed)).toBe(false);
  expect(() => compileAddressList(["10.0.0.0/99"])).toThrow("10.0.0.0/99");
  expect(plainAddress("::ffff:1.2.3.4")).toBe("1.2.3.4");
});
