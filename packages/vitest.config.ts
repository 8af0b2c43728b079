import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ["@fngate/source"] },
  ssr: { resolve: { conditions: ["@fngate/source"] } },
  test: {
    include: ["*/src/**/*.test.ts"],
    typecheck: { enabled: false, include: ["*/src/**/*.test-d.ts"] },
    setupFiles: ["vitest.setup.ts"],
    pool: "forks",
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // The tests' OpenID provider says at each start that it is one for tests.
    onConsoleLog: (text) => (text.startsWith("oidc-provider ") ? false : undefined),
  },
});
