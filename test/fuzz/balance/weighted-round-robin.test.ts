import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Picker, Weighted } from "../../../src/balance/picker.js";
import { createWeightedRoundRobin } from "../../../src/balance/weighted-round-robin.js";
import { fuzz, instancesOf, seeded, seeds, shuffled, wholeWeights } from "./fuzz-settings.js";
import { earliestDeadline, interleaved, smooth, staticStride } from "./other-schedulers.js";
import { strayOf, widestGap, windowCounts } from "./picks.js";

function pickerOf(
  weights: readonly number[],
  seed: number,
  phase: "random" | "zero",
): Picker<Weighted> {
  const picker = createWeightedRoundRobin({ random: seeded(seed), phase });
  picker.update(instancesOf(weights));
  return picker;
}

function picksOf(picker: Picker<Weighted>, count: number): number[] {
  return Array.from({ length: count }, () => Number(picker.pick()?.key.slice(1)));
}

function sumOf(weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}

/** Makes something that gives one index into the weights after the other. */
type Scheduler = (weights: readonly number[], seed: number) => () => number;

const ours: Scheduler = (weights, seed) => {
  const picker = pickerOf(weights, seed, "zero");
  return () => picksOf(picker, 1)[0] ?? -1;
};

/** The prefix bound. */
function withinOnePick(scheduler: Scheduler): fc.IPropertyWithHooks<[number[], number]> {
  return fc.property(wholeWeights, seeds, (weights, seed) => {
    const { ahead, behind } = strayOf(
      weights,
      Array.from({ length: 3_000 }, scheduler(weights, seed)),
    );
    expect(ahead).toBeLessThan(1);
    expect(behind).toBeLessThan(1);
  });
}

const phases = fc.constantFrom("random" as const, "zero" as const);

describe("weighted round robin with fixed weights", () => {
  it("keeps every instance within one pick of its share at any time, from a zero start", () => {
    fc.assert(withinOnePick(ours), fuzz(200));
  });

  it("keeps that bound for fractional weights", () => {
    const fractions = fc.array(fc.double({ min: 0.01, max: 1_000, noNaN: true }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(fractions, seeds, (weights, seed) => {
        const { ahead, behind } = strayOf(weights, picksOf(pickerOf(weights, seed, "zero"), 2_000));
        expect(ahead).toBeLessThan(1 + 1e-6);
        expect(behind).toBeLessThan(1 + 1e-6);
      }),
      fuzz(200),
    );
  });

  it("is less than two picks off in any stretch, from any phase", () => {
    fc.assert(
      fc.property(wholeWeights, seeds, (weights, seed) => {
        const picks = picksOf(pickerOf(weights, seed, "random"), 3_000);
        expect(strayOf(weights, picks).window).toBeLessThan(2);
      }),
      fuzz(200),
    );
  });

  it("gives each instance its weight, give or take one, in any stretch as long as the sum of weights", () => {
    const small = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(small, seeds, phases, (weights, seed, phase) => {
        const total = sumOf(weights);
        const picks = picksOf(pickerOf(weights, seed, phase), 3 * total);
        for (const [index, weight] of weights.entries()) {
          const counts = [...windowCounts(picks, index, total)];
          expect(Math.max(...counts)).toBeLessThanOrEqual(weight + 1);
          expect(Math.min(...counts)).toBeGreaterThanOrEqual(weight - 1);
        }
      }),
      fuzz(200),
    );
  });

  it("has served exactly the weights after each whole cycle, from a zero start", () => {
    fc.assert(
      fc.property(wholeWeights, seeds, (weights, seed) => {
        const picker = pickerOf(weights, seed, "zero");
        for (let cycle = 0; cycle < 3; cycle++) {
          const counts = weights.map(() => 0);
          for (const pick of picksOf(picker, sumOf(weights)))
            counts[pick] = (counts[pick] ?? 0) + 1;
          expect(counts).toEqual(weights);
        }
      }),
      fuzz(200),
    );
  });

  it("serves equal instances in strict rotation", () => {
    const equal = fc.record({
      count: fc.integer({ min: 1, max: 60 }),
      weight: fc.oneof(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
      ),
    });
    fc.assert(
      fc.property(equal, seeds, phases, ({ count, weight }, seed, phase) => {
        const picks = picksOf(pickerOf(new Array(count).fill(weight), seed, phase), 6 * count);
        for (const [at, pick] of picks.entries()) {
          if (at < count) expect(picks.indexOf(pick)).toBe(at);
          else expect(pick).toBe(picks[at - count]);
        }
      }),
      fuzz(300),
    );
  });

  it("comes back to an instance within two shares", () => {
    fc.assert(
      fc.property(wholeWeights, seeds, phases, (weights, seed, phase) => {
        const picks = picksOf(pickerOf(weights, seed, phase), 3_000);
        for (const [index, weight] of weights.entries()) {
          expect(widestGap(picks, index)).toBeLessThanOrEqual(
            Math.ceil((2 * sumOf(weights)) / weight),
          );
        }
      }),
      fuzz(200),
    );
  });

  it("depends on the ratios of weights only", () => {
    const factors = fc.integer({ min: 2, max: 1_000 });
    fc.assert(
      fc.property(wholeWeights, factors, seeds, phases, (weights, factor, seed, phase) => {
        const scaled = weights.map((weight) => weight * factor);
        expect(picksOf(pickerOf(scaled, seed, phase), 500)).toEqual(
          picksOf(pickerOf(weights, seed, phase), 500),
        );
      }),
      fuzz(300),
    );
  });

  it("does not depend on the order of the list", () => {
    fc.assert(
      fc.property(wholeWeights, seeds, phases, (weights, seed, phase) => {
        const picker = createWeightedRoundRobin({ random: seeded(seed), phase });
        picker.update(shuffled(instancesOf(weights), seeded(seed + 1)));
        expect(picksOf(picker, 300)).toEqual(picksOf(pickerOf(weights, seed, phase), 300));
      }),
      fuzz(300),
    );
  });

  it("spreads the first calls of many clients as the weights say", () => {
    const uneven = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(uneven, seeds, (weights, seed) => {
        const clients = 5_000;
        const calls = 3;
        const counts = weights.map(() => 0);
        const draw = seeded(seed);
        for (let client = 0; client < clients; client++) {
          const picker = pickerOf(weights, Math.floor(draw() * 2 ** 32), "random");
          for (const pick of picksOf(picker, calls)) counts[pick] = (counts[pick] ?? 0) + 1;
        }
        for (const [index, weight] of weights.entries()) {
          const share = weight / sumOf(weights);
          const load = (counts[index] ?? 0) / (clients * calls);
          // Below a hundredth, chance alone goes beyond it.
          if (share >= 0.01) expect(load / share).toBeLessThan(1.5);
        }
      }),
      fuzz(8),
    );
  });
});

/** The property above would be worth little if any scheduler passed it. */
describe("the prefix bound", () => {
  const dominated = [100, ...new Array<number>(100).fill(1)];

  it.each<[string, Scheduler, number[]]>([
    ["smooth", smooth, [36, 1, 36, 36, 1, 36, 1, 3, 36, 3, 3, 3, 1, 3, 1, 1, 1, 1]],
    ["earliest deadline first", earliestDeadline, dominated],
    ["static stride", staticStride, dominated],
    ["interleaved", interleaved, dominated],
  ])("is broken by %s weighted round robin, and kept by ours", (_name, scheduler, weights) => {
    const known: fc.Parameters<[number[], number]> = { numRuns: 1, examples: [[weights, 1]] };
    expect(fc.check(withinOnePick(scheduler), known).failed).toBe(true);
    expect(fc.check(withinOnePick(ours), known).failed).toBe(false);
  });

  it.each<[string, Scheduler, number]>([
    ["earliest deadline first", earliestDeadline, 200],
    ["static stride", staticStride, 200],
    ["interleaved", interleaved, 200],
  ])("is soon seen to be broken by %s weighted round robin", (_name, scheduler, numRuns) => {
    expect(fc.check(withinOnePick(scheduler), { numRuns, endOnFailure: true }).failed).toBe(true);
  });
});
