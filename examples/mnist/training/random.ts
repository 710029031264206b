/** A source of numbers that look random and are the same on every run with the same seed. */
export interface Random {
  /** Returns a number from 0 (included) to 1 (excluded). */
  next(): number;
  /** Returns a number from `-limit` to `limit`, all equally likely. */
  between(limit: number): number;
  /** Returns a number of the normal distribution with mean 0 and deviation 1. */
  normal(): number;
  /** Brings the items into a new order, in place. */
  shuffle(items: { [index: number]: number; readonly length: number }): void;
}

/**
 * Creates a source of numbers from a seed (an integer of 32 bits).
 *
 * Source: mulberry32 by Tommy Ettinger (public domain).
 */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (limit) => (2 * next() - 1) * limit,
    // Box-Muller; 1 - next() is never 0, whose logarithm would be infinite.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle: (items) => {
      for (let last = items.length - 1; last > 0; last--) {
        const other = Math.floor(next() * (last + 1));
        const kept = items[last] ?? 0;
        items[last] = items[other] ?? 0;
        items[other] = kept;
      }
    },
  };
}
