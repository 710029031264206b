import { build, type Histogram } from "hdr-histogram-js";

/** Percentiles that tables and reports show. */
export const percentiles: readonly (readonly [key: LatencyKey, percentile: number])[] = [
  ["p50", 50],
  ["p90", 90],
  ["p99", 99],
  ["p99.9", 99.9],
  ["p99.99", 99.99],
  ["max", 100],
];

/** Names of the figures of a {@link LatencySummary} that are percentiles. */
export type LatencyKey = "p50" | "p90" | "p99" | "p99.9" | "p99.99" | "max";

/** What many times come to, in microseconds; zeros when there was none. */
export type LatencySummary = Readonly<Record<LatencyKey | "mean", number>>;

const HIGHEST_US = 3_600_000_000;
const STEPS_A_NINE = 10;

/** Counts times in microseconds, each to three digits. */
export class LatencyHistogram {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3,
  });

  get count(): number {
    return this.#histogram.totalCount;
  }

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(HIGHEST_US, Math.max(0, Math.round(ms * 1_000))));
  }

  reset(): void {
    this.#histogram.reset();
  }

  at(percentile: number): number {
    return this.count === 0 ? 0 : this.#histogram.getValueAtPercentile(percentile);
  }

  summary(): LatencySummary {
    const [p50, p90, p99, p999, p9999, max] = percentiles.map(([, percentile]) =>
      this.at(percentile),
    );
    const mean = this.count === 0 ? 0 : Math.round(this.#histogram.mean);
    return {
      p50: p50 ?? 0,
      p90: p90 ?? 0,
      p99: p99 ?? 0,
      "p99.9": p999 ?? 0,
      "p99.99": p9999 ?? 0,
      max: max ?? 0,
      mean,
    };
  }

  /** Points of the percentile plot: nines (0, 1 for 90 %, 2 for 99 %, ...) and microseconds, as far as the count carries. */
  curve(): readonly (readonly [nines: number, us: number])[] {
    if (this.count === 0) return [];
    const most = Math.ceil(Math.log10(this.count) * STEPS_A_NINE);
    return Array.from({ length: most + 1 }, (_, step) => {
      const nines = step / STEPS_A_NINE;
      return [nines, this.at(100 * (1 - 10 ** -nines))] as const;
    });
  }
}
