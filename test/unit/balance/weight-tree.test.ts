import { describe, expect, it } from "vitest";
import { Dice } from "../../../src/balance/dice.js";
import { WeightTree } from "../../../src/balance/weight-tree.js";
import { seededRandom } from "../../../src/core/seeded-random.js";

function treeOf(weights: readonly number[]): WeightTree {
  const tree = new WeightTree();
  for (const [slot, weight] of weights.entries()) tree.set(slot, weight);
  return tree;
}

function drawsOf(tree: WeightTree, count: number, other = -1): number[] {
  const dice = new Dice(seededRandom(1));
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const slot = tree.draw(dice, other);
    times[slot] = (times[slot] ?? 0) + 1;
  }
  return times;
}

describe("WeightTree", () => {
  it("draws nobody where nobody is, or nobody else", () => {
    const dice = new Dice(seededRandom(1));
    expect(new WeightTree().draw(dice, -1)).toBe(-1);
    expect(treeOf([0, 0, 0]).draw(dice, -1)).toBe(-1);
    expect(treeOf([0, 0.3, 0]).draw(dice, 1)).toBe(-1);
    expect(treeOf([5]).draw(dice, -1)).toBe(0);
  });

  it.each([
    { weights: [1, 2, 3, 4], other: -1 },
    { weights: [1, 2, 3, 4], other: 3 },
    { weights: [0.1, 0, 0, 0, 0.7, 0.2], other: 4 },
    { weights: [1e6, 1, 1, 1, 1, 0, 0, 1], other: 0 },
    { weights: [3, 0, 0, 0, 0, 0, 0, 1], other: -1 },
  ])("draws slots of weights $weights but $other as often as they say", ({ weights, other }) => {
    const draws = 20_000;
    const left = weights.map((weight, slot) => (slot === other ? 0 : weight));
    const total = left.reduce((sum, weight) => sum + weight, 0);
    const times = drawsOf(treeOf(weights), draws, other);
    for (const [slot, weight] of left.entries()) {
      const fair = (draws * weight) / total;
      // Never where nobody is; five deviations of a draw where somebody is.
      expect(Math.abs((times[slot] ?? 0) - fair)).toBeLessThanOrEqual(5 * Math.sqrt(fair));
    }
  });

  it("draws only those that have a weight when rounding eats the others", () => {
    expect(drawsOf(treeOf([1e6, 1e-6, 0, 0, 1e-6]), 1_000, 0).map((times) => times > 0)).toEqual([
      ...[undefined, true, undefined, undefined, true].map((one) => one),
    ]);
  });

  it("keeps its weights when it grows, and sums that do not drift", () => {
    const tree = treeOf([0.1, 0.2, 0.3]);
    for (let n = 0; n < 10_000; n++) tree.set(n % 3, (n % 7) / 10);
    for (const [slot, weight] of [1, 2, 3].entries()) tree.set(slot, weight);
    tree.set(100, 4);
    expect(tree.total).toBe(10);
    expect([0, 1, 2, 3, 100, 5_000].map((slot) => tree.weightOf(slot))).toEqual([1, 2, 3, 0, 4, 0]);
  });
});

describe("Dice", () => {
  it("throws every bit about as often as not, also where it is made with the same number thrice", () => {
    for (const random of [seededRandom(7), () => 0.5, () => 0]) {
      const dice = new Dice(random);
      const ones = new Array<number>(32).fill(0);
      for (let n = 0; n < 4_000; n++) {
        const thrown = dice.throw();
        for (let bit = 0; bit < 32; bit++) ones[bit] = (ones[bit] ?? 0) + ((thrown >>> bit) & 1);
      }
      for (const count of ones) expect(Math.abs(count - 2_000)).toBeLessThan(200);
    }
  });
});
