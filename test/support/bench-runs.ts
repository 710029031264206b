import type { BenchResult } from "../../src/cli/bench/result.js";

const latency = {
  p50: 1_000,
  p90: 1_500,
  p99: 2_000,
  "p99.9": 3_000,
  "p99.99": 3_500,
  max: 4_000,
  mean: 1_100,
};

/** A run of so many seconds in each of which p50 is `p50`, give or take 1 %, and p99 twice that. */
export function benchRun(parts: {
  readonly seconds?: number;
  readonly p50?: number;
  readonly target?: string;
  readonly message?: string;
}): BenchResult {
  const { seconds = 20, p50 = 1_000, target = "127.0.0.1:1", message = "no" } = parts;
  return {
    kind: "inferwire bench",
    version: 1,
    startedAt: "2026-11-22T10:00:00.000Z",
    interrupted: false,
    settings: {
      target,
      method: "a.v1.Echo/Say",
      stream: false,
      loop: "open",
      callsPerSecond: 100,
      arrivals: "constant",
      maxInFlight: 10_000,
      durationS: seconds,
      warmUpS: 1,
      connections: 4,
      timeoutMs: 5_000,
      requestBytes: 7,
      seed: 1,
    },
    environment: { inferwire: "1.2.3", node: "v20", platform: "linux x64", cpu: "a", cores: 2 },
    measuredS: seconds,
    calls: { scheduled: 100 * seconds, succeeded: 99 * seconds, failed: seconds, notSent: 0 },
    succeededPerSecond: 99,
    messages: 99 * seconds,
    bytes: { sent: 700 * seconds, received: 693 * seconds },
    latencyUs: { ...latency, p50, p99: 2 * p50 },
    firstMessageUs: null,
    fromSendUs: latency,
    latenessUs: { ...latency, p50: 10, p99: 20 },
    curve: [
      [0, 500],
      [1, 1_500],
      [2, 2_000],
    ],
    errors: [{ code: "UNAVAILABLE", reason: "CALL_REFUSED", message, calls: seconds }],
    instances:
      seconds === 0 ? [] : [{ instance: "127.0.0.1:1", calls: 100 * seconds, failed: seconds }],
    seconds: Array.from({ length: seconds }, (_, second) => ({
      second,
      calls: 100,
      succeeded: 99,
      failed: 1,
      notSent: 0,
      p50: p50 * (1 + ((second * 7) % 5) / 250),
      p99: 2 * p50 * (1 + ((second * 3) % 5) / 250),
      max: 4_000,
    })),
    warnings: [],
  };
}
