import type { MethodCounter } from "../builtin/host-view.js";
import type { CallSeries } from "../door/invoker.js";

/** Counts the calls of a host by door, method and status, with their latencies. */
export interface CallMetrics {
  series(door: string, method: string): CallSeries;
  read(): readonly MethodCounter[];
}

/**
 * Upper bounds of the latency buckets, in milliseconds. Source: gRFC A66.
 */
export const latencyBucketsMs: readonly number[] = [
  0.01, 0.05, 0.1, 0.3, 0.6, 0.8, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100,
  130, 160, 200, 250, 300, 400, 500, 650, 800, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
];

class Histogram {
  count = 0;
  maxMs = 0;
  readonly #buckets: Float64Array = new Float64Array(latencyBucketsMs.length + 1);

  add(ms: number): void {
    this.count++;
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
}

/** Makes the counters of one host. */
export function createCallMetrics(): CallMetrics {
  const series: { door: string; method: string; byStatus: Map<string, Histogram> }[] = [];
  return {
    series(door, method) {
      const byStatus = new Map<string, Histogram>();
      series.push({ door, method, byStatus });
      return {
        ended(status, durationMs) {
          let histogram = byStatus.get(status);
          if (histogram === undefined) {
            histogram = new Histogram();
            byStatus.set(status, histogram);
          }
          histogram.add(durationMs);
        },
      };
    },
    read: () =>
      series.flatMap(({ door, method, byStatus }) =>
        [...byStatus].map(([status, histogram]) => counterOf(door, method, status, histogram)),
      ),
  };
}

function counterOf(door: string, method: string, status: string, h: Histogram): MethodCounter {
  return {
    door,
    method,
    status,
    count: h.count,
    p50Ms: h.quantile(0.5),
    p90Ms: h.quantile(0.9),
    p99Ms: h.quantile(0.99),
    maxMs: h.maxMs,
  };
}
