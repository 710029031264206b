import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChaosFlags } from "../../../../src/cli/chaos/flags.js";
import { chaosPlan } from "../../../../src/cli/chaos/plan.js";
import { faultNames } from "../../../../src/cli/chaos/settings.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inferwire-plan-"));
  writeFileSync(join(folder, "model.js"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const planOf = (flags: ChaosFlags, module = "model.js") =>
  chaosPlan(module, flags, { folder }, () => 0.5);

describe("chaosPlan", () => {
  it("takes all faults, half a minute and a seed by chance", () => {
    expect(planOf({})).toEqual({
      module: pathToFileURL(join(folder, "model.js")).href,
      durationMs: 30_000,
      limitMs: 120_000,
      seed: 2 ** 30 - 1,
      faults: faultNames,
    });
  });

  it("takes what is given, and faults in their own order", () => {
    const given = { duration: "2", seed: "7", faults: "restart, kill" };
    expect(planOf(given)).toMatchObject({
      durationMs: 2_000,
      limitMs: 64_000,
      seed: 7,
      faults: ["kill", "restart"],
    });
  });

  it.each<[ChaosFlags, string | undefined, RegExp]>([
    [{}, "nowhere.js", /there is no module .*nowhere\.js/],
    [{ duration: "0" }, undefined, /--duration is 0, expected an integer from 1 to 3600/],
    [{ duration: "1.5" }, undefined, /--duration is 1\.5, expected an integer/],
    [{ duration: "long" }, undefined, /--duration is "long"/],
    [{ seed: "-1" }, undefined, /--seed is -1/],
    [{ faults: "kill,fire" }, undefined, /--faults is "fire"/],
    [{ faults: "" }, undefined, /--faults is ""/],
  ])("refuses %j of %s", (flags, module, text) => {
    expect(() => planOf(flags, module)).toThrow(text);
  });
});
