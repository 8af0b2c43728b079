#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// A start spends most of its time on compiling sources. What is imported from here on is kept compiled between starts,
// with its types stripped already where it runs from source: so this file is JavaScript, and imports nothing statically.
enableCompileCache();

// Node opens its debugger at this signal to whoever is on the machine, unless somebody listens for it: operators send
// it for logs to be opened again.
process.on("SIGUSR1", () => {});

await import("#main");
