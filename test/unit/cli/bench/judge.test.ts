import { describe, expect, it } from "vitest";
import { compareRuns, judge, rankTest } from "../../../../src/cli/bench/judge.js";
import { seededRandom } from "../../../../src/core/seeded-random.js";
import { benchRun } from "../../../support/bench-runs.js";

describe("rankTest", () => {
  // Worked out by hand: distances of 3.308, 0.368 and 0 deviations.
  it.each([
    [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15, 16], 0.000939],
    [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16], 0.713],
    [[1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1], 1],
  ])("of %j and %j is about %f", (a, b, expected) => {
    expect(rankTest(a, b)).toBeCloseTo(expected, 3);
    expect(rankTest(b, a)).toBeCloseTo(expected, 3);
  });

  it("calls 1 % of samples of the same distribution different at 1 %", () => {
    const random = seededRandom(5);
    const sample = (): number[] => Array.from({ length: 20 }, () => random());
    let different = 0;
    for (let n = 0; n < 4_000; n++) if (rankTest(sample(), sample()) < 0.01) different++;
    expect(different / 4_000).toBeGreaterThan(0.004);
    expect(different / 4_000).toBeLessThan(0.017);
  });
});

describe("judge", () => {
  const around = (middle: number): number[] =>
    Array.from({ length: 20 }, (_, index) => middle * (1 + ((index * 7) % 5) / 250));

  it.each([
    ["the same", 100, 100, "within noise"],
    ["3 % more, however sure", 100, 103, "within noise"],
    ["a fifth more", 100, 120, "worse"],
    ["a fifth less", 100, 80, "better"],
  ])("takes %s for what it is", (_, before, after, verdict) => {
    expect(judge(around(before), around(after))).toBe(verdict);
  });

  it("does not judge a few seconds", () => {
    expect(judge([1, 1, 1], around(100))).toBe("not judged");
  });
});

describe("compareRuns", () => {
  it("says what changed, and in which settings the runs differ", () => {
    const before = benchRun({ p50: 1_000 });
    const same = compareRuns(before, benchRun({ p50: 1_010 }));
    expect(same.statement).toBe("p50 and p99 are within noise: no difference is shown.");
    expect(same.differing).toEqual([]);
    const worse = compareRuns(before, benchRun({ p50: 1_500, target: "other:1" }));
    expect(worse.statement).toBe(
      "p50 is worse by 50.0 %, which is more than noise; p99 is worse by 50.0 %, which is more than noise.",
    );
    expect(worse.differing).toEqual(["target: 127.0.0.1:1, now other:1"]);
    expect(worse.figures[0]).toMatchObject({
      name: "p50",
      before: 1_000,
      after: 1_500,
      change: 0.5,
    });
  });

  it("says that runs are too short", () => {
    const short = compareRuns(benchRun({ seconds: 3 }), benchRun({}));
    expect(short.statement).toBe(
      "Too short to judge: 3 seconds with calls that succeeded, 8 are needed of both runs.",
    );
  });
});
