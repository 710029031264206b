import { describe, expect, it } from "vitest";
import { createSchedule } from "../../../../src/cli/bench/schedule.js";
import { seededRandom } from "../../../../src/core/seeded-random.js";

const first = (next: () => number, count: number): readonly number[] =>
  Array.from({ length: count }, () => next());

describe("createSchedule", () => {
  it("spreads constant arrivals evenly, without drift", () => {
    const random = seededRandom(1);
    expect(first(createSchedule(250, "constant", random), 4)).toEqual([0, 4, 8, 12]);
    expect(first(createSchedule(3, "constant", random), 3_000_001).at(-1)).toBe(
      3_000_000 * (1_000 / 3),
    );
  });

  it("gives independent arrivals their rate and their spread, the same for the same seed", () => {
    const times = first(createSchedule(100, "poisson", seededRandom(7)), 20_000);
    expect(first(createSchedule(100, "poisson", seededRandom(7)), 20_000)).toEqual(times);
    expect(first(createSchedule(100, "poisson", seededRandom(8)), 20_000)).not.toEqual(times);
    const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(
      gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length,
    );
    // Of an exponential distribution both are the same: here 10 ms.
    expect(mean).toBeCloseTo(10, 0);
    expect(deviation).toBeCloseTo(10, 0);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  });
});
