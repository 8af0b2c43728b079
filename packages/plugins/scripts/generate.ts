/** Writes every generated file of this package; run it as `pnpm gen` after adding a plugin or changing a schema. */
import { writeFileSync } from "node:fs";
import { generateFiles } from "./generated-files.ts";

for (const { path, text } of await generateFiles()) writeFileSync(path, text);
