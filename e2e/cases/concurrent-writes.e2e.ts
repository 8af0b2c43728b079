import { startEtcd } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import type { AdminClient } from "../support/admin-client.ts";
import { MODES, startGateway } from "../support/gateway.ts";

const WRITERS = 50;
const NAMES = Array.from({ length: WRITERS }, (_, index) => `writer-${index}`);
const PATH = "/routes/contested";

/** Has every writer add a label of its own to one route at the same time; returns how many were let through. */
async function contest(
  clients: readonly [AdminClient, ...AdminClient[]],
  patch: (client: AdminClient, name: string) => ReturnType<AdminClient["send"]>,
): Promise<number> {
  const [first] = clients;
  await first.put(PATH, { uri: "/contested", plugins: {}, labels: { start: "x" } });
  const answers = await Promise.all(NAMES.map((name, index) => patch(clients[index % clients.length] ?? first, name)));
  for (const { status, body } of answers.filter((answer) => answer.status !== 200)) {
    expect({ status, body }).toEqual({ status: 503, body: { error_msg: "value changed before overwritten" } });
  }
  const accepted = NAMES.filter((_, index) => answers[index]?.status === 200);
  const { body } = await first.send("GET", PATH);
  expect(Object.keys(Object(body).value.labels).toSorted()).toEqual(["start", ...accepted].toSorted());
  return accepted.length;
}

const merge = (client: AdminClient, name: string) => client.send("PATCH", PATH, { labels: { [name]: "x" } });

// APISIX answers all but the fastest with 503 (apisix issue 5341).
describe.each(MODES)("fifty writers of one object (%s)", (mode) => {
  it("lose no PATCH", { timeout: 60_000 }, async () => {
    await using gateway = await startGateway(mode);
    expect(await contest([gateway.admin], merge)).toBe(WRITERS);
    const replace = (client: AdminClient, name: string) => client.send("PATCH", `${PATH}/labels/${name}`, '"x"');
    expect(await contest([gateway.admin], replace)).toBe(WRITERS);
  });
});

it("writers at two control planes of one etcd lose no PATCH that was accepted", { timeout: 60_000 }, async () => {
  await using etcd = await startEtcd();
  await using one = await startGateway("split", { etcd });
  await using other = await startGateway("split", { etcd });
  expect(await contest([one.admin, other.admin], merge)).toBeGreaterThan(WRITERS / 2);
});
