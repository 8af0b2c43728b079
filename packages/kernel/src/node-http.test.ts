import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const PACKAGES = join(import.meta.dirname, "../..");

/** Packages that run in other processes. */
const ELSEWHERE = new Set(["test-kit", "sample-function"]);

const TESTS = /testing\/|\.test(-d)?\.ts$|\.fixture\.ts$/;

/** What runs in a gateway: no tests, and none of what they stand on. */
function gatewaySources(): string[] {
  const packages = readdirSync(PACKAGES).filter((name) => existsSync(join(PACKAGES, name, "src")));
  return packages
    .filter((name) => !ELSEWHERE.has(name))
    .flatMap((name) => {
      const folder = join(PACKAGES, name, "src");
      return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path));
    })
    .filter((path) => path.endsWith(".ts") && !TESTS.test(path));
}

it("is where every source of the gateway has the values of node:http from", () => {
  const sources = gatewaySources();
  expect(sources.length).toBeGreaterThan(500);
  const importing = sources.filter((path) =>
    /^import (?!type\b)[^;]*from "node:http";/m.test(readFileSync(path, "utf8")),
  );
  expect(importing).toEqual([]);
});
