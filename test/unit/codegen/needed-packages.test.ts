import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { testedVersion } from "../../../src/cli/kit-package.js";
import { generatorPackages, importedPackages } from "../../../src/codegen/needed-packages.js";

const manifest: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
);

const numbers = (version: string): readonly number[] =>
  version.replace(/^\^/, "").split(".").map(Number);

describe("testedVersion", () => {
  it.each(generatorPackages)("gives %s exactly, within the range of the peer", (name) => {
    const tested = testedVersion(name);
    expect(manifest["devDependencies"]?.[name]).toBe(tested);
    const range = manifest["peerDependencies"]?.[name] ?? "";
    const [major = 0, minor = 0] = numbers(range);
    const [testedMajor = 0, testedMinor = 0] = numbers(tested);
    expect(range).toMatch(/^\^/);
    expect(testedMajor).toBe(major);
    expect(testedMinor).toBeGreaterThanOrEqual(minor);
    expect(manifest["peerDependenciesMeta"]?.[name]).toEqual({ optional: true });
  });

  it.each(importedPackages)("gives the lowest version that the kit takes of %s", (name) => {
    expect(manifest["dependencies"]?.[name]).toBe(`^${testedVersion(name)}`);
  });

  it("knows the tools of new projects", () => {
    for (const name of ["@types/node", "typescript", "vitest"]) {
      expect(testedVersion(name)).toMatch(/^\d+\.\d+\.\d+$/);
    }
    expect(() => testedVersion("left-pad")).toThrow("names no version of left-pad");
  });
});
