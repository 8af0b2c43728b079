import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { createPeerReader } from "./peer.ts";
import { AdminHarness } from "./testing/admin-harness.ts";

const ROUTE = { uri: "/hi", plugins: {} };

async function peerInAudit(admin: AdminHarness, headers: Readonly<Record<string, string>>): Promise<unknown> {
  await admin.call("PUT", "/routes/1", { body: ROUTE, headers });
  return admin.logger.lines.findLast(({ fields }) => fields["audit"] === true)?.fields["peer"];
}

function requestFrom(address: string, named: string): IncomingMessage {
  const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: address });
  const request = new IncomingMessage(socket);
  request.headers["x-real-ip"] = named;
  return request;
}

describe("the address of a request", () => {
  it("is what a process of this machine says in X-Real-IP, in the audit log", async () => {
    await using admin = await AdminHarness.start();
    expect(await peerInAudit(admin, { "X-Real-IP": "192.0.2.7" })).toBe("192.0.2.7");
    expect(await peerInAudit(admin, {})).toBe("127.0.0.1");
  });

  it.each(["nobody", "192.0.2.7, 127.0.0.1", ""])("is the peer's when X-Real-IP is '%s'", async (named) => {
    await using admin = await AdminHarness.start();
    expect(await peerInAudit(admin, { "X-Real-IP": named })).toBe("127.0.0.1");
  });

  it("decides who is allowed", async () => {
    await using admin = await AdminHarness.start({ allowedAddresses: ["127.0.0.0/24"] });
    expect((await admin.call("GET", "/routes")).status).toBe(200);
    expect((await admin.call("GET", "/routes", { headers: { "X-Real-IP": "192.0.2.7" } })).status).toBe(403);
  });

  it("cannot be claimed by a peer from elsewhere, unless it is believed", () => {
    const request = requestFrom("192.0.2.1", "127.0.0.1");
    expect(createPeerReader()(request)).toBe("192.0.2.1");
    expect(createPeerReader(["192.0.2.0/24"])(request)).toBe("127.0.0.1");
  });

  it("is checked when the plane is built", () => {
    expect(() => new AdminHarness({ realIpFrom: ["everyone"] })).toThrow(/real_ip_from: "everyone"/);
  });
});
