import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resultFile } from "../../../../src/cli/bench/result-file.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inferwire-result-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("resultFile", () => {
  it("makes the folder, and writes when it is told", async () => {
    const file = await resultFile("--save", "kept/run.json", { folder });
    await file?.write("{}");
    expect(readFileSync(join(folder, "kept/run.json"), "utf8")).toBe("{}");
  });

  it("takes a file that is there already, and leaves it as it is until it is written", async () => {
    writeFileSync(join(folder, "run.json"), "before");
    await resultFile("--save", "run.json", { folder });
    expect(readFileSync(join(folder, "run.json"), "utf8")).toBe("before");
  });

  it("is none without the flag", async () => {
    expect(await resultFile("--save", undefined, { folder })).toBeUndefined();
  });

  it.each(["file/run.json", "file/deeper/run.json", "."])("refuses %s", async (path) => {
    writeFileSync(join(folder, "file"), "");
    await expect(resultFile("--report", path, { folder })).rejects.toThrow(
      `--report ${path} cannot be written`,
    );
  });
});
