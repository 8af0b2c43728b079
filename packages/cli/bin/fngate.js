#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// A start spends most of its time on compiling sources. What is imported from here on is kept compiled between starts,
// with its types stripped already where it runs from source: so this file is JavaScript, and imports nothing statically.
enableCompileCache();
await import("#main");
