import { median } from "../../src/cli/median.js";

export { median };

/** The value below which this part of the values lies, 0 to 1; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** `12.3 (10.1-15.0)`: median, lowest and highest. */
export function spread(values: readonly number[], digits = 1): string {
  const low = Math.min(...values).toFixed(digits);
  const high = Math.max(...values).toFixed(digits);
  return `${median(values).toFixed(digits)} (${low}-${high})`;
}

/** A straight line through points. */
export interface Line {
  /** Rise of y for 1 of x. */
  readonly slope: number;
  /** Standard deviation of the points' distances from the line, in y. */
  readonly deviation: number;
}

/** Lays a straight line through points by least squares. */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line {
  const mean = (of: 0 | 1): number => points.reduce((sum, p) => sum + p[of], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const sumXY = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const sumXX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = sumXX === 0 ? 0 : sumXY / sumXX;
  const squares = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, deviation: Math.sqrt(squares / Math.max(1, points.length - 2)) };
}
