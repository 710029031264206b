import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/core/seeded-random.js";
import { fakeClock } from "../../../src/testing/fake-clock.js";

describe("fakeClock", () => {
  it("runs timers in order of time and of being set, each at its own moment, and those that they set", () => {
    const clock = fakeClock(0);
    const told: string[] = [];
    const tell = (word: string) => () => told.push(`${word} at ${clock.now()}`);
    clock.after(20, tell("c"));
    clock.after(10, tell("a"));
    clock.after(20, tell("d"));
    clock.after(10, () => clock.after(5, tell("b")));
    clock.after(-1, tell("past"));
    clock.after(21, tell("later"));
    clock.advance(20);
    expect(told).toEqual(["past at 0", "a at 10", "b at 15", "c at 20", "d at 20"]);
    expect([clock.now(), clock.pending()]).toEqual([20, [{ dueMs: 21, background: false }]]);
  });

  it("shows what has not run, in order, without what was taken back", () => {
    const clock = fakeClock(0);
    clock.after(Number.POSITIVE_INFINITY, () => {});
    const cancel = clock.after(5, () => {});
    clock.after(7, () => {}, { background: true });
    clock.after(3, () => {});
    cancel();
    cancel();
    expect(clock.pending()).toEqual([
      { dueMs: 3, background: false },
      { dueMs: 7, background: true },
      { dueMs: Number.POSITIVE_INFINITY, background: false },
    ]);
  });

  it("keeps the order of many, most of them taken back, also by each other", () => {
    const clock = fakeClock(0);
    const random = seededRandom(7);
    const ran: number[] = [];
    const cancels = new Map<number, () => void>();
    const dues = Array.from({ length: 5_000 }, () => Math.floor(random() * 1_000));
    for (const [at, due] of dues.entries()) {
      const run = (): void => {
        ran.push(at);
        cancels.get(at)?.();
        cancels.get(at + 1)?.();
        cancels.delete(at + 1);
      };
      cancels.set(at, clock.after(due, run));
      if (random() < 0.6) {
        const other = Math.floor(random() * (at + 1));
        cancels.get(other)?.();
        cancels.delete(other);
      }
    }
    const order = [...cancels.keys()].sort((a, b) => (dues[a] ?? 0) - (dues[b] ?? 0) || a - b);
    const gone = new Set<number>();
    const expected = order.filter((at) => {
      if (gone.has(at)) return false;
      gone.add(at + 1);
      return true;
    });
    clock.advance(1_000);
    expect(ran).toEqual(expected);
    expect(clock.pending()).toEqual([]);
  });
});
