import { defineConfig } from "vitest/config";

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ["@fngate/source"] },
  ssr: { resolve: { conditions: ["@fngate/source"] } },
  test: {
    include: ["cases/**/*.e2e.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
