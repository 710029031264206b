import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Unit tests import `src` directly; everything else goes through the built package by its name. */
const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ["default", "json"],
    outputFile: { json: ".inferwire/test-results.json" },
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { test: { name: "fuzz", include: ["test/fuzz/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "e2e",
          include: ["test/{e2e,conformance,docs}/**/*.test.ts", "examples/*/*.test.ts"],
          fileParallelism: false,
          testTimeout: 30_000,
        },
      },
    ],
  },
});
export default config;
