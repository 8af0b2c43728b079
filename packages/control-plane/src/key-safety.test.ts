import { isGatewayError } from "@fngate/kernel";
import { describe, expect, it } from "vitest";
import { assertAdminKeysAreSafe } from "./key-safety.ts";

const wellKnown = { name: "admin", key: "edd1c9f034335f136f87ad84b625c8f1", role: "admin" };
const own = { name: "admin", key: "a secret of one's own", role: "admin" };

function attempt(host: string, keys: readonly (typeof own)[], isKeyRequired = true): string {
  try {
    assertAdminKeysAreSafe({ keys, isKeyRequired, listen: { host, port: 9180 } });
    return "accepted";
  } catch (error) {
    return isGatewayError(error, "CONFIG_INVALID") ? error.message : `unexpected: ${error}`;
  }
}

describe("on loopback", () => {
  it.each(["127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "localhost"])(
    "the well-known key and no key at all are accepted on %s",
    (host) => {
      expect(attempt(host, [wellKnown])).toBe("accepted");
      expect(attempt(host, [])).toBe("accepted");
      expect(attempt(host, [own], false)).toBe("accepted");
    },
  );

  it("a unix socket counts as loopback", () => {
    const listen = { socketPath: "admin.sock" };
    expect(() => assertAdminKeysAreSafe({ keys: [wellKnown], isKeyRequired: true, listen })).not.toThrow();
  });
});

describe("beyond loopback", () => {
  it.each(["0.0.0.0", "::", "192.168.1.5", "", "gateway.example", "127.0.0.1.example", "::ffff:10.0.0.1"])(
    "a key of one's own is accepted on %j and everything weaker is refused",
    (host) => {
      expect(attempt(host, [own])).toBe("accepted");
      expect(attempt(host, [own, wellKnown])).toContain("publicly known default");
      expect(attempt(host, [])).toContain("no admin key");
      expect(attempt(host, [{ ...own, key: "" }])).toContain("is empty");
      expect(attempt(host, [own], false)).toContain("admin_key_required is false");
    },
  );

  it("the refusal says what to set and does not show the key", () => {
    const message = attempt("0.0.0.0", [wellKnown]);
    expect(message).toContain("FNGATE_ADMIN_KEY");
    expect(message).toContain("deployment.admin.admin_key");
    expect(message).not.toContain(wellKnown.key);
  });
});
