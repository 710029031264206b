import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** TypeScript files below a folder, with their text, comments left out. */
function sources(folder: string): readonly { readonly file: string; readonly code: string }[] {
  return readdirSync(root + folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({
      file: `${folder}/${file}`,
      code: readFileSync(`${root}${folder}/${file}`, "utf8")
        .replace(/\/\*[\s\S]*?\*\//g, "")
        .replace(/\/\/.*$/gm, ""),
    }));
}

function filesWith(folder: string, pattern: RegExp): readonly string[] {
  return sources(folder)
    .filter(({ code }) => pattern.test(code))
    .map(({ file }) => file);
}

describe("house rules", () => {
  it("timers come from core/ports, so that tests can hold the clock", () => {
    expect(filesWith("src", /(?<![.\w])set(Timeout|Interval)\((?!timeoutMs: number\))/)).toEqual([
      "src/core/ports.ts",
    ]);
  });

  it("unit tests never wait", () => {
    const waiting = filesWith("test/unit", /(?<![.\w])setTimeout\(|timers\/promises/);
    expect(waiting.filter((file) => !file.endsWith("house-rules.test.ts"))).toEqual([]);
  });

  it("nothing but a command reads the environment, and what looks for the cluster that it runs in", () => {
    // A pod learns where its API server is from the environment alone.
    expect(filesWith("src", /process\.env/)).toEqual([
      "src/cli/main.ts",
      "src/resolve/kubernetes/kubernetes-access.ts",
    ]);
  });

  it("types are not talked out of what they know", () => {
    expect(filesWith("src", /\bas unknown as\b|@ts-|: any\b|<any>/)).toEqual([]);
  });
});
