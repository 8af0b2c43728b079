import { join } from "node:path";
import { tempDirectory } from "@fngate/test-kit";
import { expect, it } from "vitest";
import { resolveInstanceId } from "./instance-id.ts";

it("takes the configured id", async () => {
  await using directory = await tempDirectory();
  expect(await resolveInstanceId({ dataDir: directory.path, instanceId: "gateway-a" })).toBe("gateway-a");
});

it("makes an id once, for this start and all that follow", async () => {
  await using directory = await tempDirectory();
  const settings = { dataDir: join(directory.path, "data"), instanceId: undefined };
  const id = await resolveInstanceId(settings);
  expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(await resolveInstanceId(settings)).toBe(id);
});
