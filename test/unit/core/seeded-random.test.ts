import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/core/seeded-random.js";

describe("seededRandom", () => {
  const drawn = (seed: number, count = 5) => Array.from({ length: count }, seededRandom(seed));

  it("gives the same numbers for the same seed, others for another", () => {
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(drawn(-1.5)).toEqual(drawn(-1.5));
  });

  it("stays in [0, 1) and spreads evenly", () => {
    const numbers = drawn(7, 10_000);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    const mean = numbers.reduce((sum, number) => sum + number) / numbers.length;
    expect(mean).toBeCloseTo(0.5, 1);
  });
});
