import { describe, expect, it } from "vitest";
import { createCallMetrics } from "../../../src/host/call-metrics.js";

describe("createCallMetrics", () => {
  it("counts by door, method and status, with quantiles from the buckets", () => {
    const metrics = createCallMetrics();
    const series = metrics.series("grpc", "/p.S/M");
    for (let i = 0; i < 98; i++) series.ended("OK", 0.9);
    series.ended("OK", 39);
    series.ended("OK", 120_000);
    series.ended("UNAVAILABLE", 3);
    metrics.series("eas", "POST");
    expect(metrics.read()).toEqual([
      {
        door: "grpc",
        method: "/p.S/M",
        status: "OK",
        count: 100,
        p50Ms: 1,
        p90Ms: 1,
        p99Ms: 40,
        maxMs: 120_000,
      },
      {
        door: "grpc",
        method: "/p.S/M",
        status: "UNAVAILABLE",
        count: 1,
        p50Ms: 3,
        p90Ms: 3,
        p99Ms: 3,
        maxMs: 3,
      },
    ]);
  });
});
