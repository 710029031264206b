import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { integerWeights } from "../../../src/wire/integer-weights.js";

describe("integerWeights", () => {
  it.each([
    [[], false, []],
    [[100, 50], false, [100, 50]],
    [[100, 50], true, [2, 1]],
    [[100], true, [1]],
    [[0, 100], true, [0, 1]],
    [[0, 0], true, [0, 0]],
    [[0.5, 1], false, [1, 2]],
    [[12.5, 12.5, 37.5, 37.5], false, [1, 1, 3, 3]],
    [[0.1, 0.3], false, [1, 3]],
    [[100 / 3, 200 / 3], false, [1, 2]],
    [[2.5, 5, 7], false, [5, 10, 14]],
    [[1e-9, 1], false, [1, 1_000]],
    [[1e-9], false, [1]],
  ])("turns %j (reduced: %j) into %j", (weights, reduce, expected) => {
    expect(integerWeights(weights, { reduce })).toEqual(expected);
  });

  it("keeps the sum within 32 bits", () => {
    const many = integerWeights(
      Array.from({ length: 3_000 }, () => 1_000_000),
      { reduce: false },
    );
    expect(many.every((weight) => weight === 1)).toBe(true);
  });

  it("gives integers above 0, each within 1 % of its share when none is below a thousandth", () => {
    const weight = fc.double({ min: 1, max: 1_000, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (weights, reduce) => {
          const whole = integerWeights(weights, { reduce });
          const greatest = Math.max(...weights);
          const greatestWhole = Math.max(...whole);
          for (const [index, value] of whole.entries()) {
            expect(Number.isInteger(value) && value >= 1).toBe(true);
            const share = (weights[index] ?? 0) / greatest;
            const error = Math.abs(value / greatestWhole - share);
            expect(error).toBeLessThanOrEqual(Math.max(0.01 * share, 0.5 / 1_000) + 1e-9);
          }
        },
      ),
    );
  });
});
