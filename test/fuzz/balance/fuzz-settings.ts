import fc from "fast-check";
import type { Weighted } from "../../../src/balance/picker.js";

function numberFromEnvironment(name: string): number | undefined {
  const text = process.env[name];
  return text === undefined || text === "" ? undefined : Number(text);
}

/**
 * How a property is run: `runs` times from a random seed, which fast-check prints with the counter-example.
 * `FUZZ_SEED` repeats a run, `FUZZ_RUNS` makes every property run longer.
 */
export function fuzz(runs: number): fc.Parameters<unknown> {
  const seed = numberFromEnvironment("FUZZ_SEED");
  const numRuns = numberFromEnvironment("FUZZ_RUNS") ?? runs;
  return seed === undefined ? { numRuns } : { numRuns, seed };
}

/** A number generator for a picker, from a seed that fast-check can shrink (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Seeds of {@link seeded}. */
export const seeds: fc.Arbitrary<number> = fc.integer();

/** Lists of whole weights: alike, mixed, and with some that dwarf the others. */
export const wholeWeights: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 500, max: 1_000 }),
  ),
  { minLength: 1, maxLength: 24 },
);

/** Instances k0, k1, ... with these weights. */
export function instancesOf(weights: readonly number[]): Weighted[] {
  return weights.map((weight, index) => ({ key: `k${index}`, weight }));
}

/** The same numbers in another order. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
