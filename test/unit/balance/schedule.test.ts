import { describe, expect, it } from "vitest";
import { Schedule } from "../../../src/balance/schedule.js";

/** A schedule over slots 0, 1, ... that counts as having gone through `cycles` cycles of the weights. */
function scheduleOf(weights: readonly number[], cycles = 0): Schedule {
  const schedule = new Schedule();
  for (const [slot, weight] of weights.entries()) {
    schedule.join(slot, weight, slot, weight * cycles);
  }
  return schedule;
}

function picksOf(schedule: Schedule, count: number): number[] {
  return Array.from({ length: count }, () => schedule.pick());
}

describe("Schedule", () => {
  it("picks nothing when empty", () => {
    expect(new Schedule().pick()).toBe(-1);
  });

  it("goes on exactly as before when its counters are brought back towards zero", () => {
    for (const weights of [
      [3, 1, 2],
      [7, 7, 7, 5, 2, 1],
      [1_000, 1, 1],
    ]) {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const cycles = Math.floor(2 ** 21 / total);
      const late = scheduleOf(weights, cycles);
      const before = late.now;
      expect(picksOf(late, 3 * total)).toEqual(picksOf(scheduleOf(weights), 3 * total));
      expect(late.now).toBeLessThan(before);
    }
  });

  it("keeps fractional shares when its counters are brought back", () => {
    const weights = [0.1, 0.2, 0.3];
    const late = scheduleOf(weights, Math.floor(2 ** 21 / 0.6));
    const counts = weights.map(() => 0);
    for (const slot of picksOf(late, 600)) counts[slot] = (counts[slot] ?? 0) + 1;
    expect(counts).toEqual([100, 200, 300]);
  });

  it("lets the one that is due first forgive what a leaving slot had too much", () => {
    const schedule = scheduleOf([1, 1, 1, 1]);
    expect(picksOf(schedule, 2)).toEqual([0, 1]);
    // Lags are now -1/2, -1/2, 1/2, 1/2. Without 0 the rest are owed 1/2 in all: 2 forgives it, 3 comes first.
    schedule.leave([0]);
    expect(picksOf(schedule, 6)).toEqual([3, 2, 1, 3, 2, 1]);
  });

  it("forgives the one that comes free first what a leaving slot had too little", () => {
    const schedule = scheduleOf([1, 1, 1, 1]);
    expect(picksOf(schedule, 2)).toEqual([0, 1]);
    // Without 2 the rest are ahead by 1/2 in all: 0 is forgiven it and may be picked before 1, but after 3.
    schedule.leave([2]);
    expect(picksOf(schedule, 6)).toEqual([3, 0, 1, 3, 0, 1]);
  });

  it("settles slots that leave together as one", () => {
    const schedule = scheduleOf([1, 1, 1, 1]);
    expect(picksOf(schedule, 2)).toEqual([0, 1]);
    schedule.leave([1, 2]);
    expect(picksOf(schedule, 4)).toEqual([3, 0, 3, 0]);
  });

  it("keeps the lag of a slot whose weight changes", () => {
    const schedule = scheduleOf([1, 1]);
    expect(picksOf(schedule, 1)).toEqual([0]);
    schedule.reweigh(0, 3);
    // Half a pick ahead, slot 0 waits for one pick; one later both are at their shares and the cycle 0100 begins.
    expect(picksOf(schedule, 9)).toEqual([1, 0, 0, 1, 0, 0, 0, 1, 0]);
    expect(schedule.weightOf(0)).toBe(3);
  });

  it("shares picks that exclude a slot among the others, and owes it nothing for them", () => {
    const schedule = scheduleOf([1, 1, 2]);
    const picked = Array.from({ length: 6 }, () => schedule.pickExcept([0]));
    expect(picked).toEqual([2, 1, 2, 2, 1, 2]);
    // As from the start: nobody is ahead of anybody.
    expect(picksOf(schedule, 4).toSorted()).toEqual([0, 1, 2, 2]);
    expect(schedule.pickExcept([0, 1, 2])).toBe(-1);
  });

  it("keeps an excluded slot out when its counters are brought back towards zero", () => {
    const late = scheduleOf([1, 1], 2 ** 20 - 1);
    const before = late.now;
    expect(Array.from({ length: 4 }, () => late.pickExcept([0]))).toEqual([1, 1, 1, 1]);
    expect(late.now).toBeLessThan(before);
    expect(picksOf(late, 6).toSorted()).toEqual([0, 0, 0, 1, 1, 1]);
    late.leave([1]);
    expect(picksOf(late, 2)).toEqual([0, 0]);
    late.leave([0]);
    expect(late.pick()).toBe(-1);
  });

  it("starts again at zero once everybody has left", () => {
    const schedule = scheduleOf([2, 1], 10);
    schedule.leave([0, 1]);
    expect([schedule.size, schedule.pick()]).toEqual([0, -1]);
    schedule.join(0, 5, 0, 0);
    expect([schedule.now, schedule.pick()]).toEqual([0, 0]);
  });
});
