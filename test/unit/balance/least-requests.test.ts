import { describe, expect, it } from "vitest";
import { createLeastRequests } from "../../../src/balance/least-requests.js";
import type { Picker, Weighted } from "../../../src/balance/picker.js";
import { seededRandom } from "../../../src/core/seeded-random.js";

const answered = { ok: true, durationMs: 1 };

function pickerOf(...weights: readonly number[]): Picker<Weighted> {
  const picker = createLeastRequests({ random: seededRandom(1), now: () => 0 });
  picker.update(weights.map((weight, index) => ({ key: `k${index}`, weight })));
  return picker;
}

/** How many of so many picks, none of which has ended, went to each instance. */
function pickedOf(picker: Picker<Weighted>, count: number): number[] {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const at = Number(picker.pick()?.key.slice(1));
    times[at] = (times[at] ?? 0) + 1;
  }
  return times;
}

describe("createLeastRequests", () => {
  it("keeps two equal instances level, pick by pick", () => {
    const picker = pickerOf(1, 1);
    for (let pairs = 0; pairs < 50; pairs++) expect(pickedOf(picker, 2)).toEqual([1, 1]);
  });

  it.each([
    [1, 1, 1, 1],
    [1, 2, 3, 4],
    [1, 1, 1, 50],
    [0.5, 100, 100],
  ])("fills instances of weights %d, %d, %d and %d in proportion", (...weights) => {
    const listed = weights.filter((weight) => weight !== undefined);
    const total = listed.reduce((sum, weight) => sum + weight, 0);
    const times = pickedOf(pickerOf(...listed), 2_000);
    for (const [at, weight] of listed.entries()) {
      const fair = (2_000 * weight) / total;
      expect(Math.abs((times[at] ?? 0) - fair)).toBeLessThan(3 + 0.02 * fair);
    }
  });

  it("does not send everything to a light instance because the heavy one is busy", () => {
    const picker = pickerOf(1_000, 1);
    const busy = picker.pick(new Set(["k1"]));
    let light = 0;
    for (let n = 0; n < 10_000; n++) {
      const picked = picker.pick();
      if (picked === undefined || busy === undefined) throw new Error("nothing picked");
      if (picked.key === "k1") light++;
      picker.ended(picked, answered);
    }
    expect(light).toBeLessThan(30);
  });

  it("avoids one that is slow to answer", () => {
    const picker = pickerOf(...new Array<number>(10).fill(1));
    const stuck = pickedOf(picker, 100)[0] ?? 0;
    for (let at = 1; at < 10; at++) {
      for (let n = 0; n < 20; n++) picker.ended({ key: `k${at}`, weight: 1 }, answered);
    }
    expect(stuck).toBeGreaterThan(5);
    expect(pickedOf(picker, 20)[0]).toBeUndefined();
  });

  it("counts what is under way through changes of weight and object, and anew after leaving", () => {
    const picker = pickerOf(1, 1);
    for (let n = 0; n < 10; n++) picker.pick(new Set(["k1"]));
    picker.update([
      { key: "k1", weight: 2 },
      { key: "k0", weight: 2 },
    ]);
    expect(pickedOf(picker, 10)).toEqual([undefined, 10]);
    picker.remove("k0");
    picker.add({ key: "k0", weight: 2 });
    expect(pickedOf(picker, 10)).toEqual([10]);
    expect(pickedOf(picker, 2)).toEqual([1, 1]);
  });
});
