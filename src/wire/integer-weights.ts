const MAX_SUM = 2 ** 31 - 1;
const MAX_SCALED = 1_000;
const TOLERATED_ERROR = 0.01;

/**
 * Turns weights into integers for readers that know no others (the EAS SDKs, which add them up in 32 bits).
 *
 * Integers stay as they are. Otherwise all are scaled to the smallest greatest weight, up to 1,000, that keeps each
 * within 1 % of its share; small numbers matter, because the Go SDK sends runs of calls as long as the difference of two
 * weights. A weight above 0 never becomes 0.
 *
 * @param weights - Not negative, finite.
 * @param options - `reduce` divides by the greatest common divisor.
 * @returns As many integers, in the same order.
 */
export function integerWeights(
  weights: readonly number[],
  options: { readonly reduce: boolean },
): readonly number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const usable = sum <= MAX_SUM && weights.every((weight) => Number.isInteger(weight));
  const whole = usable ? weights : scaled(weights);
  if (!options.reduce) return whole;
  const divisor = whole.reduce(greatestCommonDivisor, 0);
  return divisor > 1 ? whole.map((weight) => weight / divisor) : whole;
}

function scaled(weights: readonly number[]): readonly number[] {
  const greatest = weights.reduce((a, b) => Math.max(a, b), 0);
  const distinct = [...new Set(weights)].filter((weight) => weight > 0);
  let target = 1;
  while (target < MAX_SCALED && !distinct.every((weight) => fits((weight / greatest) * target))) {
    target += 1;
  }
  return weights.map((weight) =>
    weight === 0 ? 0 : Math.max(1, Math.round((weight / greatest) * target)),
  );
}

function fits(weight: number): boolean {
  return Math.abs(Math.round(weight) - weight) <= weight * TOLERATED_ERROR;
}

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
