import { GatewayError } from "@fngate/kernel";
import { recordingLogger } from "@fngate/plugin-kit/testing";
import { eventually } from "@fngate/test-kit";
import { describe, expect, it } from "vitest";
import type { Settings } from "./config/settings.ts";
import { createReload } from "./reload.ts";

/** Only handed on; nothing here reads it. */
const SETTINGS = {} as Settings;

describe("a reload", () => {
  it("that is asked for again and again while one is on comes once more, and no two at a time", async () => {
    const gates: (() => void)[] = [];
    const logger = recordingLogger();
    const gateway = { reload: () => new Promise<string[]>((resolve) => gates.push(() => resolve([]))) };
    const reload = createReload({ gateway, logger, read: () => Promise.resolve(SETTINGS) });
    for (let time = 0; time < 3; time += 1) reload();
    await eventually(() => expect(gates).toHaveLength(1));
    gates[0]?.();
    await eventually(() => expect(gates).toHaveLength(2));
    gates[1]?.();
    await eventually(() => expect(logger.lines.filter(({ fields }) => fields["event"] === "reloaded")).toHaveLength(2));
    reload();
    await eventually(() => expect(gates).toHaveLength(3));
  });

  it.each([
    { what: "the file is wrong", problems: ["a: wrong", "b: wrong"] },
    { what: "no worker can serve by it", problems: undefined },
  ])("says what is wrong when $what", async ({ problems }) => {
    const logger = recordingLogger();
    const details = problems === undefined ? {} : { details: { problems } };
    const read = (): Promise<Settings> => Promise.reject(new GatewayError("CONFIG_INVALID", "no good", details));
    createReload({ gateway: { reload: () => Promise.resolve([]) }, logger, read })();
    const fields = { event: "reload-refused", reason: "no good", ...(problems && { problems }) };
    await eventually(() => expect(logger.lines).toEqual([expect.objectContaining({ level: "error", fields })]));
  });

  it("is refused where one process serves, which has read its file", async () => {
    const logger = recordingLogger();
    const read = (): Promise<Settings> => expect.fail("nobody needs it");
    createReload({ gateway: { reload: undefined }, logger, read })();
    await eventually(() => expect(logger.lines).toMatchObject([{ level: "warn" }]));
  });
});
