import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Weighted } from "../../../src/balance/picker.js";
import { subsetOf } from "../../../src/balance/subset.js";
import { fuzz, instancesOf, seeded, seeds, shuffled } from "./fuzz-settings.js";

const lists = fc.array(
  fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 100 }),
    fc.constantFrom(1e-6, 1_000, 1_000_000),
    fc.double({ min: 0.01, max: 20, noNaN: true }),
  ),
  { minLength: 1, maxLength: 80, size: "max" },
);
const sizes = fc.integer({ min: 1, max: 30 });

function keysOf(list: readonly Weighted[], size: number, seed: number): Set<string> {
  return new Set(subsetOf(list, size, seed).map(({ instance }) => instance.key));
}

function missing(from: ReadonlySet<string>, others: ReadonlySet<string>): string[] {
  return [...others].filter((key) => !from.has(key));
}

describe("subsetOf", () => {
  it("takes as many as it can up to its size, none of weight 0, with weights that a picker takes", () => {
    fc.assert(
      fc.property(lists, sizes, seeds, (weights, size, seed) => {
        const members = subsetOf(instancesOf(weights), size, seed);
        const weighted = weights.filter((weight) => weight > 0).length;
        expect(members).toHaveLength(Math.min(size, weighted));
        for (const { instance, weight } of members) {
          expect(instance.weight).toBeGreaterThan(0);
          expect(weight).toBeGreaterThanOrEqual(1e-6);
          expect(weight).toBeLessThanOrEqual(1e6);
        }
      }),
      fuzz(300),
    );
  });

  it("does not depend on the order of the list", () => {
    fc.assert(
      fc.property(lists, sizes, seeds, (weights, size, seed) => {
        const list = instancesOf(weights);
        const other = shuffled(list, seeded(seed));
        const weightOf = (one: readonly Weighted[]): Map<string, number> =>
          new Map(subsetOf(one, size, seed).map(({ instance, weight }) => [instance.key, weight]));
        expect(weightOf(other)).toEqual(weightOf(list));
      }),
      fuzz(200),
    );
  });

  it("changes by at most one member besides the instance that joins, leaves or is reweighed", () => {
    const change = fc.record({ which: fc.nat(), weight: fc.constantFrom(0, 1, 50, 1_000) });
    fc.assert(
      fc.property(lists, sizes, seeds, change, (weights, size, seed, { which, weight }) => {
        const before = instancesOf(weights);
        const at = which % (before.length + 1);
        const key = `k${at}`;
        const after = [...before.filter((one) => one.key !== key), { key, weight }];
        const taken = keysOf(before, size, seed);
        const takenThen = keysOf(after, size, seed);
        expect(missing(takenThen, taken).filter((one) => one !== key).length).toBeLessThan(2);
        expect(missing(taken, takenThen).filter((one) => one !== key).length).toBeLessThan(2);
      }),
      fuzz(500),
    );
  });

  it("gives every instance its share over many clients", () => {
    const weights = Array.from({ length: 100 }, (_, at) => [1, 2, 5, 20][at % 4] ?? 1);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom(10, 30), (first, size) => {
        const loads = new Map<number, number>();
        const clients = 2_000;
        for (let client = 0; client < clients; client++) {
          const members = subsetOf(instancesOf(weights), size, first + client);
          const sum = members.reduce((all, { weight }) => all + weight, 0);
          for (const { instance, weight } of members) {
            const load = (loads.get(instance.weight) ?? 0) + weight / sum / clients;
            loads.set(instance.weight, load);
          }
        }
        for (const [weight, load] of loads) {
          const share = (25 * weight) / total;
          // All of one weight together; by chance alone they are off by a few hundredths.
          expect(Math.abs(load / share - 1)).toBeLessThan(0.1);
        }
      }),
      fuzz(6),
    );
  });

  it("keeps the weights of almost all members when a list wobbles", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = seeded(seed);
        const list = instancesOf(
          Array.from({ length: 400 }, () => 50 + Math.floor(random() * 101)),
        );
        let reweighed = 0;
        let before = new Map<string, number>();
        for (let round = 0; round < 50; round++) {
          const at = Math.floor(random() * list.length);
          const old = list[at];
          if (old !== undefined) list[at] = { key: old.key, weight: old.weight + 0.5 };
          const members = subsetOf(list, 20, seed);
          const weights = new Map(members.map(({ instance, weight }) => [instance.key, weight]));
          for (const [key, weight] of weights) {
            if (round > 0 && before.get(key) !== weight) reweighed++;
          }
          before = weights;
        }
        // Of a thousand.
        expect(reweighed).toBeLessThan(60);
      }),
      fuzz(30),
    );
  });
});
