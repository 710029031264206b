import { describe, expect, it } from "vitest";
import { LatencyHistogram, latencyBucketsMs } from "../../../src/metrics/latency-histogram.js";

function of(...values: number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe("LatencyHistogram", () => {
  it("counts a value into the bucket whose bound it does not pass", () => {
    const counts = new Map(
      of(0.9, 1, 1.1)
        .cumulative()
        .map((b) => [b.upToMs, b.count]),
    );
    expect([counts.get(0.8), counts.get(1), counts.get(2)]).toEqual([0, 2, 3]);
  });

  it("keeps count and sum of what no bucket holds", () => {
    const histogram = of(1, 200_000);
    expect([histogram.count, histogram.sumMs, histogram.maxMs]).toEqual([2, 200_001, 200_000]);
    expect(histogram.cumulative().at(-1)).toEqual({ upToMs: latencyBucketsMs.at(-1), count: 1 });
  });

  it("gives quantiles from its bounds, never more than the longest seen", () => {
    const histogram = of(...Array.from({ length: 98 }, () => 0.9), 39, 120_000);
    expect([0.5, 0.99, 1].map((q) => histogram.quantile(q))).toEqual([1, 40, 120_000]);
  });
});
