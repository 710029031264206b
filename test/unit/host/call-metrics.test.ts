import { describe, expect, it } from "vitest";
import { servingError } from "../../../src/core/serving-error.js";
import {
  type CallEnd,
  type CallListener,
  createCallMetrics,
} from "../../../src/host/call-metrics.js";
import { endedCall } from "../../support/ended-call.js";
import { createFakeClock } from "../../support/fake-clock.js";

const full = servingError("QUEUE_FULL", "64 calls are waiting");

function listener(everyCall: boolean): CallListener & { readonly ends: CallEnd[] } {
  const ends: CallEnd[] = [];
  return { everyCall, ends, onEnd: (end) => void ends.push(end) };
}

describe("createCallMetrics", () => {
  it("counts by door, method and status, from the arrival of a call to its end", () => {
    const clock = createFakeClock();
    const metrics = createCallMetrics(clock);
    const series = metrics.series("grpc", "/p.S/M");
    clock.advance(0.9);
    for (let i = 0; i < 99; i++) series.ended(endedCall(), "OK", undefined);
    clock.advance(2.1);
    series.ended(endedCall(), "UNAVAILABLE", full);
    clock.advance(120_000);
    series.ended(endedCall(), "OK", undefined);
    metrics.series("eas", "POST other");
    expect(metrics.read()).toEqual([
      {
        door: "grpc",
        method: "/p.S/M",
        status: "OK",
        count: 100,
        p50Ms: 1,
        p90Ms: 1,
        p99Ms: 1,
        maxMs: 120_003,
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

  it("keeps the totals of starts, messages, successes and errors", () => {
    const metrics = createCallMetrics(createFakeClock(1_000_004));
    const series = metrics.series("grpc", "/p.S/M");
    for (let i = 0; i < 3; i++) series.started();
    series.received();
    series.sent();
    series.sent();
    series.ended(endedCall(), "OK", undefined);
    series.ended(endedCall(), "UNAVAILABLE", full);
    metrics.queued(2);
    metrics.ran(3);
    metrics.ran(4);
    const { methods, ran, queuedMs } = metrics.totals();
    expect(methods[0]).toMatchObject({
      started: 3,
      received: 1,
      sent: 2,
      succeeded: 1,
      succeededMs: 4,
      errors: new Map([["QUEUE_FULL", 1]]),
    });
    expect([ran.count, ran.sumMs, queuedMs]).toEqual([2, 7, 2]);
  });

  it("keeps the host's own methods out of what monitor reads", () => {
    const metrics = createCallMetrics(createFakeClock());
    metrics.ownSeries("grpc", "/grpc.health.v1.Health/Check").ended(endedCall(), "OK", undefined);
    expect(metrics.read()).toEqual([]);
    expect(metrics.totals().methods).toHaveLength(1);
  });

  it("counts what is refused by its head for its method, and makes no counters for unknown ones", () => {
    const metrics = createCallMetrics(createFakeClock());
    metrics.series("grpc", "/p.S/M");
    const wrong = servingError("UNAUTHENTICATED", "a wrong token");
    metrics.refused(endedCall(), "/p.S/M", "UNAUTHENTICATED", wrong);
    metrics.refused(endedCall(), "/p.S/Other", "UNAUTHENTICATED", wrong);
    const { methods, otherErrors } = metrics.totals();
    expect(methods).toHaveLength(1);
    expect(methods[0]).toMatchObject({ started: 1, errors: new Map([["UNAUTHENTICATED", 1]]) });
    expect(otherErrors).toEqual(new Map([["UNAUTHENTICATED", 1]]));
  });

  it("tells listeners of failed calls, and of the others only those that ask for them", () => {
    const [some, all] = [listener(false), listener(true)];
    const series = createCallMetrics(createFakeClock(), [some, all]).series("grpc", "/p.S/M");
    series.ended(endedCall(), "OK", undefined);
    series.ended(endedCall(), "UNAVAILABLE", full);
    expect(some.ends.map(({ status }) => status)).toEqual(["UNAVAILABLE"]);
    expect(all.ends.map(({ status }) => status)).toEqual(["OK", "UNAVAILABLE"]);
  });
});
