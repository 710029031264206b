import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_WEIGHT, weightProblem } from "../../../src/core/instance.js";
import { sharedWeight, weightsOf } from "../../../src/resolve/dns/srv-records.js";
import { fuzz } from "../balance/fuzz-settings.js";

const weight = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65_535 }));
const weights = fc.array(weight, { minLength: 1, maxLength: 300 });
const addresses = fc.integer({ min: 1, max: 4_096 });

const weighed = (given: readonly number[]): readonly number[] =>
  weightsOf(given.map((one) => ({ weight: one })));

describe("weights of SRV records", () => {
  it("are weights of the kit, however many addresses share one", () => {
    fc.assert(
      fc.property(weights, addresses, (given, count) => {
        const shares = weighed(given).map((one) => sharedWeight(one, count));
        expect(shares.map(weightProblem).filter(Boolean)).toEqual([]);
        expect(shares.every((share) => share > 0)).toBe(true);
      }),
      fuzz(500),
    );
  });

  it("stand to each other as the records', and 0 is a hundredth of the smallest", () => {
    fc.assert(
      fc.property(weights, (given) => {
        const positive = given.filter((one) => one > 0);
        const zero = positive.length === 0 ? DEFAULT_WEIGHT : Math.min(...positive) / 100;
        const expected = given.map((one) => (one > 0 ? one : zero));
        weighed(given).forEach((one, index) => {
          expect(one).toBeCloseTo(expected[index] ?? Number.NaN, 9);
        });
      }),
      fuzz(500),
    );
  });

  it("add up to the record's again", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), addresses, (one, count) => {
        expect(sharedWeight(one, count) * count).toBeCloseTo(one, 6);
      }),
      fuzz(500),
    );
  });
});
