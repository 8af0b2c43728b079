import { readFile, writeFile } from "node:fs/promises";
import { renderTables } from "../src/config/configuration-doc.ts";

const page = new URL("../docs/configuration.md", import.meta.url);

await writeFile(page, renderTables(await readFile(page, "utf8")));
