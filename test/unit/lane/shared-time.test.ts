import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/core/ports.js";
import { sharedTime } from "../../../src/lane/shared-time.js";

/** Two readings of one moment, of which the own clock's comes so much later. */
function readings(delaysMs: readonly number[]): { clock: Clock; machineMs: () => number } {
  const offsetMs = 700;
  let moment = 0;
  return {
    machineMs: () => moment * 10 + offsetMs,
    clock: {
      now: () => moment * 10 + (delaysMs[moment++] ?? 0),
      after: () => () => {},
    },
  };
}

describe("sharedTime", () => {
  it("is not led astray by a process that is put aside between two readings", () => {
    const { clock, machineMs } = readings([40, 3, 0, 25, 1]);
    const time = sharedTime(clock, machineMs);
    expect(time.toShared(1_000)).toBe(1_700);
    expect(time.fromShared(1_700)).toBe(1_000);
  });

  it("leaves Infinity as it is", () => {
    const { clock, machineMs } = readings([]);
    expect(sharedTime(clock, machineMs).toShared(Number.POSITIVE_INFINITY)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});
