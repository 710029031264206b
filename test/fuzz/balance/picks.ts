/** How far a sequence of picks strays from the shares, in picks; exact for whole weights. */
export interface Stray {
  /** The largest lag: how far an instance was behind its share. */
  readonly behind: number;
  /** The smallest lag, negated: how far an instance was ahead of its share. */
  readonly ahead: number;
  /** The largest lag minus the smallest of the same instance: how far any stretch of picks is from the share. */
  readonly window: number;
}

/** Follows the lag `t * weight / total - picks` of every instance over a sequence of indexes into the weights. */
export function strayOf(weights: readonly number[], picks: readonly number[]): Stray {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = weights.map(() => 0);
  const most = weights.map(() => 0);
  const least = weights.map(() => 0);
  for (const [done, pick] of picks.entries()) {
    counts[pick] = (counts[pick] ?? 0) + 1;
    for (const [index, weight] of weights.entries()) {
      const lag = ((done + 1) * weight - (counts[index] ?? 0) * total) / total;
      most[index] = Math.max(most[index] ?? 0, lag);
      least[index] = Math.min(least[index] ?? 0, lag);
    }
  }
  return {
    behind: Math.max(...most),
    ahead: -Math.min(...least),
    window: Math.max(...most.map((high, index) => high - (least[index] ?? 0))),
  };
}

/** For every stretch of `length` picks: how often the index was picked in it. */
export function* windowCounts(
  picks: readonly number[],
  index: number,
  length: number,
): Generator<number> {
  let count = 0;
  for (const [end, pick] of picks.entries()) {
    if (pick === index) count++;
    if (end >= length && picks[end - length] === index) count--;
    if (end >= length - 1) yield count;
  }
}

/** The largest distance from one pick of an index to its next. */
export function widestGap(picks: readonly number[], index: number): number {
  let last: number | undefined;
  let widest = 0;
  for (const [at, pick] of picks.entries()) {
    if (pick !== index) continue;
    if (last !== undefined) widest = Math.max(widest, at - last);
    last = at;
  }
  return widest;
}
