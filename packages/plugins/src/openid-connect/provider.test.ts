import { silentLogger } from "@fngate/kernel";
import { FakeClock } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import { Provider } from "./provider.ts";
import { openidConnectSchema } from "./schema.ts";

const HOUR_MS = 3_600_000;

/** A provider whose document a test changes. */
function scene() {
  const document = { issuer: "http://a", token_endpoint: "http://a/token", jwks_uri: "http://a/jwks" };
  const clock = new FakeClock();
  const http = {
    call: async () => ({ status: 200, headers: [], body: new TextEncoder().encode(JSON.stringify(document)) }),
  };
  const client = { client_id: "c", client_secret: "s", discovery: "http://a/", bearer_only: true };
  const provider = new Provider(openidConnectSchema.parse(client), { clock, http, logger: silentLogger });
  /** Lets the document get old, and waits for the one that is read then. */
  const grow = async () => {
    const before = await provider.metadata();
    await clock.advance(HOUR_MS);
    while ((await provider.metadata()) === before);
  };
  return { document, grow, provider };
}

describe("what is made of a provider's discovery document", () => {
  it("is a key set that stays while its address does", async () => {
    const { document, grow, provider } = scene();
    const before = await provider.keys();
    await grow();
    for (let turn = 0; turn < 20; turn += 1) expect(await provider.keys()).toBe(before);
    document.jwks_uri = "http://a/others";
    await grow();
    expect(await provider.keys()).not.toBe(before);
  });

  it("is a client of the document that was read last", async () => {
    const { document, grow, provider } = scene();
    const before = await provider.client();
    expect(await provider.client()).toBe(before);
    document.token_endpoint = "http://a/moved";
    await grow();
    expect((await provider.client()).serverMetadata().token_endpoint).toBe("http://a/moved");
  });
});
