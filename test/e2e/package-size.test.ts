import { describe, expect, it } from "vitest";
import { runtimeInstall } from "../support/install-size.js";

const LIMIT_MB = 35;

describe("the run-time install", () => {
  it(`stays under ${LIMIT_MB} MB without optional peers`, () => {
    const parts = runtimeInstall();
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const largest = parts
      .slice(0, 20)
      .map((part) => `${part.name} ${(part.bytes / 1_000_000).toFixed(2)}`);
    expect(parts.map(({ name }) => name)).toContain("@grpc/grpc-js");
    expect(bytes, `MB: ${largest.join(", ")}`).toBeLessThan(LIMIT_MB * 1_000_000);
  });

  it("has nothing in it that only development or generating needs", () => {
    const names = runtimeInstall().map(({ name }) => name);
    const unwanted = ["typescript", "vitest", "ts-proto", "tsx", "@bufbuild/buf", "esbuild"];
    expect(unwanted.filter((name) => names.includes(name))).toEqual([]);
  });
});
