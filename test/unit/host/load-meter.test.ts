import { describe, expect, it } from "vitest";
import { LoadMeter } from "../../../src/host/load-meter.js";
import { LOAD_TRAILER, readLoadHeader, readLoadReport } from "../../../src/wire/load-report.js";
import { createFakeClock } from "../../support/fake-clock.js";

function scene(places = { free: 2, running: 2 }) {
  const clock = createFakeClock();
  const meter = new LoadMeter(clock, places);
  const told = () => {
    const report = meter.signs().trailers.get(LOAD_TRAILER);
    return report instanceof Uint8Array ? readLoadReport(report) : undefined;
  };
  /** So many calls a second, each inside for so long, one after the other's beginning. */
  const run = (seconds: number, perSecond: number, insideMs: number, fails = false): void => {
    const gapMs = 1_000 / perSecond;
    const ends: number[] = [];
    const leave = (untilMs: number): void => {
      while ((ends[0] ?? Number.POSITIVE_INFINITY) <= untilMs) {
        meter.left(ends.shift() ?? 0, true);
        if (fails) meter.failed();
      }
    };
    for (let call = 0; call < seconds * perSecond; call++) {
      leave(clock.now());
      meter.entered(clock.now());
      ends.push(clock.now() + insideMs);
      meter.signs();
      clock.advance(gapMs);
    }
    leave(Number.MAX_VALUE);
  };
  return { clock, meter, told, run };
}

describe("LoadMeter", () => {
  it("tells the mean of the calls inside over the places, and the calls a second", () => {
    const { run, told } = scene();
    run(20, 100, 20);
    // 100 calls a second of 20 ms are 2 at a time, in 4 places.
    expect(told()?.utilization).toBeCloseTo(0.5, 1);
    expect(told()?.callsPerSecond).toBeCloseTo(100, -1);
    expect(told()?.failuresPerSecond).toBe(0);
  });

  it("goes above 1 when calls wait, and counts failures", () => {
    const { run, told } = scene();
    run(20, 100, 80, true);
    expect(told()?.utilization).toBeCloseTo(2, 0);
    expect(told()?.failuresPerSecond).toBeCloseTo(told()?.callsPerSecond ?? 0, 3);
  });

  it("sees calls that have not ended", () => {
    const { clock, meter, told } = scene();
    for (let call = 0; call < 4; call++) meter.entered(clock.now());
    clock.advance(10_000);
    expect(told()).toEqual({ utilization: 1, callsPerSecond: 0, failuresPerSecond: 0 });
  });

  it("follows a change within seconds", () => {
    const { run, told } = scene();
    run(30, 100, 40);
    expect(told()?.utilization).toBeGreaterThan(0.9);
    run(10, 10, 10);
    expect(told()?.utilization).toBeLessThan(0.1);
  });

  it("makes one report for all answers of a tenth of a second", () => {
    const { clock, meter } = scene();
    clock.advance(1_000);
    const first = meter.signs();
    clock.advance(99);
    meter.entered(clock.now());
    expect(meter.signs()).toBe(first);
    clock.advance(1);
    expect(meter.signs()).not.toBe(first);
  });

  it("counts no call that was refused, and says zero where nothing was seen yet", () => {
    const { clock, meter, told } = scene({ free: 0, running: 0 });
    expect(meter.signs().header).toBe("TEXT application_utilization=0, rps_fractional=0, eps=0");
    for (let call = 0; call < 50; call++) {
      meter.entered(clock.now());
      meter.left(clock.now(), false);
      clock.advance(10);
    }
    expect(told()).toBeUndefined();
  });

  it("tells the same over HTTP", () => {
    const { clock, meter, told } = scene();
    meter.entered(clock.now());
    clock.advance(777);
    meter.left(clock.now(), true);
    meter.failed();
    expect(readLoadHeader(meter.signs().header)).toEqual(told());
  });

  it("stays exact over a month", () => {
    const { clock, run, told } = scene();
    clock.advance(30 * 24 * 3_600_000);
    run(20, 100, 20);
    expect(told()?.utilization).toBeCloseTo(0.5, 1);
  });
});
