import { describe, expect, it } from "vitest";
import type { Weighted } from "../../../src/balance/picker.js";
import { subsetOf } from "../../../src/balance/subset.js";

function listOf(weights: readonly number[]): Weighted[] {
  return weights.map((weight, index) => ({ key: `10.0.0.${index}:8080`, weight }));
}

function keysOf(list: readonly Weighted[], size: number, seed: number): string[] {
  return subsetOf(list, size, seed).map(({ instance }) => instance.key);
}

describe("subsetOf", () => {
  it.each([4, 5, Number.POSITIVE_INFINITY])(
    "takes all that have a weight, as they are listed, for size %d",
    (size) => {
      const list = listOf([3, 0, 1, 1_000_000, 1e-6]);
      const weighted = list.filter(({ weight }) => weight > 0);
      expect(subsetOf(list, size, 1)).toEqual(
        weighted.map((instance) => ({ instance, weight: instance.weight })),
      );
    },
  );

  it("takes so many, never one of weight 0, in the order of the list", () => {
    const list = listOf([1, 0, 2, 0, 3, 4, 5, 6, 7, 8]);
    for (let seed = 0; seed < 100; seed++) {
      const members = subsetOf(list, 3, seed);
      expect(members).toHaveLength(3);
      const places = members.map(({ instance }) => list.indexOf(instance));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      for (const { instance, weight } of members) {
        expect(instance.weight).toBeGreaterThan(0);
        expect(weight).toBeGreaterThanOrEqual(1);
      }
    }
  });

  it("takes the same for the same seed, whatever the order, and others for another", () => {
    const list = listOf(new Array<number>(200).fill(100));
    const sorted = (seed: number): string => keysOf(list, 20, seed).sort().join();
    expect(keysOf(list.toReversed(), 20, 1).sort().join()).toBe(sorted(1));
    expect(new Set([1, 2, 3, 4, 5].map(sorted)).size).toBe(5);
  });

  it("weighs those alike that are listed alike", () => {
    const members = subsetOf(listOf(new Array<number>(200).fill(100)), 20, 1);
    expect(new Set(members.map(({ weight }) => weight)).size).toBe(1);
  });

  it("keeps weights within the bounds of a list, whatever is in it", () => {
    const weights = [1_000_000, ...new Array<number>(3_000).fill(1e-6)];
    for (const list of [weights, weights.map((weight) => weight * 1e-3 || 1e-6)]) {
      for (let seed = 0; seed < 10; seed++) {
        for (const { weight } of subsetOf(listOf(list), 10, seed)) {
          expect(weight).toBeGreaterThanOrEqual(1);
          expect(weight).toBeLessThanOrEqual(1_000_000);
        }
      }
    }
  });
});
