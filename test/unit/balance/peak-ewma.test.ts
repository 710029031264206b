import { describe, expect, it } from "vitest";
import { createPeakEwma } from "../../../src/balance/peak-ewma.js";
import type { Picker, PickOutcome, Weighted } from "../../../src/balance/picker.js";
import { seededRandom } from "../../../src/core/seeded-random.js";

/** A client that makes one call at a time, and the time in which it does. */
class Caller {
  readonly picker: Picker<Weighted>;
  nowMs = 0;

  constructor(...weights: readonly number[]) {
    this.picker = createPeakEwma({ random: seededRandom(1), now: () => this.nowMs });
    this.picker.update(weights.map((weight, index) => ({ key: `k${index}`, weight })));
  }

  /** One attempt, on this instance if it is given. */
  attempt(outcomeOf: (key: string) => PickOutcome, key?: string): string {
    const others = ["k0", "k1", "k2"].filter((one) => one !== key);
    const picked = this.picker.pick(key === undefined ? undefined : new Set(others));
    if (picked === undefined) throw new Error("nothing picked");
    const outcome = outcomeOf(picked.key);
    this.nowMs += outcome.durationMs;
    this.picker.ended(picked, outcome);
    return picked.key;
  }

  /** How many of so many attempts went to this instance. */
  share(key: string, count: number, outcomeOf: (key: string) => PickOutcome): number {
    let times = 0;
    for (let n = 0; n < count; n++) if (this.attempt(outcomeOf) === key) times++;
    return times;
  }
}

function took(durationMs: number, ok: boolean | undefined = true): () => PickOutcome {
  return () => ({ ok, durationMs });
}

describe("createPeakEwma", () => {
  it("avoids the one of ten that is ten times as slow, and tries it again now and then", () => {
    const caller = new Caller(...new Array<number>(10).fill(1));
    const slow = caller.share("k3", 20_000, (key) => ({
      ok: true,
      durationMs: key === "k3" ? 100 : 10,
    }));
    expect(slow).toBeLessThan(200);
    expect(slow).toBeGreaterThan(2);
  });

  it("goes by a slower answer at once", () => {
    const caller = new Caller(1, 1);
    for (let n = 0; n < 100; n++) for (const key of ["k0", "k1"]) caller.attempt(took(10), key);
    caller.attempt(took(200), "k1");
    expect(caller.share("k1", 20, took(10))).toBe(0);
  });

  it("forgets a slow answer in the time in which it is idle", () => {
    const caller = new Caller(1, 1);
    caller.attempt(took(10), "k0");
    caller.attempt(took(200), "k1");
    // 200 falls below 10 in ln(20) times ten seconds.
    expect(caller.share("k1", 1, took(28_000))).toBe(0);
    expect(caller.share("k1", 1, took(10))).toBe(1);
  });

  it("comes down to faster answers slowly", () => {
    const caller = new Caller(1, 1);
    caller.attempt(took(100), "k0");
    for (const outcome of [took(1_000), took(1), took(1), took(1)]) caller.attempt(outcome, "k1");
    expect(caller.share("k1", 5, took(100))).toBe(0);
  });

  it.each([
    ["fails fast", { ok: false, durationMs: 1 }],
    ["fails after long", { ok: false, durationMs: 5_000 }],
  ])("avoids an instance that %s, also when it is new", (_what, failure) => {
    const caller = new Caller(1, 1);
    const outcomeOf = (key: string): PickOutcome =>
      key === "k1" ? failure : { ok: true, durationMs: 10 };
    expect(caller.share("k1", 1_000, outcomeOf)).toBeLessThan(5);
  });

  it("does not take failing fast for fast where answers take minutes", () => {
    const caller = new Caller(1, 1);
    for (let n = 0; n < 20; n++) caller.attempt(took(60_000), "k0");
    caller.attempt(took(1, false), "k1");
    expect(caller.picker.pick()?.key).toBe("k0");
  });

  it("learns from attempts that were given up only that they would have taken longer", () => {
    const caller = new Caller(1, 1);
    caller.attempt(took(100), "k0");
    caller.attempt(took(50), "k1");
    for (let n = 0; n < 5; n++) caller.attempt(took(1, undefined), "k1");
    caller.attempt(took(1, undefined), "k0");
    expect(caller.share("k1", 10, took(50))).toBe(10);
    caller.attempt(took(1_000, undefined), "k1");
    expect(caller.share("k1", 10, took(50))).toBe(0);
  });

  it("sends one attempt to an instance of which nothing is known, and waits for its end", () => {
    const caller = new Caller(1, 1);
    for (let n = 0; n < 10; n++) caller.attempt(took(100), "k0");
    const { picker } = caller;
    const picked = Array.from({ length: 8 }, () => picker.pick()?.key);
    expect(picked.filter((key) => key === "k1")).toHaveLength(1);
  });

  it("lets an instance of twice the weight be twice as busy", () => {
    const caller = new Caller(1, 1, 2);
    for (const key of ["k0", "k1", "k2"]) caller.attempt(took(10), key);
    const times = new Map<string, number>();
    for (let n = 0; n < 400; n++) {
      const key = caller.picker.pick()?.key ?? "-";
      times.set(key, (times.get(key) ?? 0) + 1);
    }
    expect(Math.abs((times.get("k2") ?? 0) - 200)).toBeLessThan(8);
  });

  it("does not send half of the calls to a light instance for being a little faster", () => {
    const caller = new Caller(1_000, 1);
    const light = caller.share("k1", 1_000, (key) => ({
      ok: true,
      durationMs: key === "k1" ? 9 : 10,
    }));
    expect(light).toBeLessThan(10);
  });

  it("forgets what it knew of an instance that left", () => {
    const caller = new Caller(1, 1);
    caller.attempt(took(10), "k0");
    caller.attempt(took(5_000), "k1");
    caller.picker.add({ key: "k1", weight: 3 });
    expect(caller.share("k1", 10, took(10))).toBe(0);
    caller.picker.remove("k1");
    caller.picker.add({ key: "k1", weight: 3 });
    expect(caller.share("k1", 10, took(10))).toBeGreaterThan(0);
  });
});
