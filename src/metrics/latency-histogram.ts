/**
 * Upper bounds of the latency buckets, in milliseconds. Source: gRFC A66.
 */
export const latencyBucketsMs: readonly number[] = [
  0.01, 0.05, 0.1, 0.3, 0.6, 0.8, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100,
  130, 160, 200, 250, 300, 400, 500, 650, 800, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
];

/** How many took no longer than a bound, in milliseconds. */
export interface BucketCount {
  readonly upToMs: number;
  readonly count: number;
}

/** How long things took: counts in the buckets of {@link latencyBucketsMs}, and one for all that took longer. */
export class LatencyHistogram {
  count = 0;
  sumMs = 0;
  maxMs = 0;
  readonly #buckets: Float64Array = new Float64Array(latencyBucketsMs.length + 1);

  /** Counts one thing. */
  add(ms: number): void {
    this.count++;
    this.sumMs += ms;
    if (ms > this.maxMs) this.maxMs = ms;
    let low = 0;
    let high = latencyBucketsMs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ms <= (latencyBucketsMs[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    this.#buckets[low] = (this.#buckets[low] ?? 0) + 1;
  }

  /** The upper bound of the bucket that holds the quantile, but never more than the longest seen. */
  quantile(q: number): number {
    const wanted = q * this.count;
    let seen = 0;
    for (const [index, count] of this.#buckets.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(latencyBucketsMs[index] ?? this.maxMs, this.maxMs);
    }
    return this.maxMs;
  }

  /** For every bound, ascending, how many took no longer; without the last bucket, which holds all. */
  cumulative(): readonly BucketCount[] {
    let count = 0;
    return latencyBucketsMs.map((upToMs, index) => {
      count += this.#buckets[index] ?? 0;
      return { upToMs, count };
    });
  }
}
