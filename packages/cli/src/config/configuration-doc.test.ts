import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { renderTables } from "./configuration-doc.ts";

describe("docs/configuration.md", () => {
  it("has exactly the keys, overrides and unsupported keys of the code; `pnpm gen` writes them", async () => {
    const page = await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8");
    expect(page).toBe(renderTables(page));
  });
});
