import { describe, expect, it } from "vitest";
import type { Picker, Weighted } from "../../../src/balance/picker.js";
import { createWeightedRoundRobin } from "../../../src/balance/weighted-round-robin.js";
import { seededRandom } from "../../../src/core/seeded-random.js";
import { listOf } from "../../conformance/picker-suite.js";

/** A picker with no phase and fixed ties over instances given as "a3 b1": key and weight. */
function pickerOf(text: string): Picker<Weighted> {
  const picker = createWeightedRoundRobin<Weighted>({ random: () => 0.5, phase: "zero" });
  picker.update(listOf(text));
  return picker;
}

function picksOf(picker: Picker<Weighted>, count: number): string {
  return Array.from({ length: count }, () => picker.pick()?.key ?? "-").join("");
}

describe("createWeightedRoundRobin", () => {
  it.each([
    ["a1", 3, "aaa"],
    ["a2 b1", 6, "abaaba"],
    ["a3 b1 c2", 12, "acacabacacab"],
    ["a5 b1 c1", 14, "acaabaaacaabaa"],
    ["a4 b3", 7, "abababa"],
    ["a0.5 b0.25 c0.25", 8, "acabacab"],
  ])("picks %s in the known order", (text, count, expected) => {
    expect(picksOf(pickerOf(text), count)).toBe(expected);
  });

  it("gives every prefix its share to within one pick", () => {
    const list = listOf("a3 b1 c2");
    const picks = picksOf(pickerOf("a3 b1 c2"), 12);
    for (let length = 1; length <= picks.length; length++) {
      for (const { key, weight } of list) {
        const count = picks.slice(0, length).split(key).length - 1;
        expect(Math.abs(count - (length * weight) / 6)).toBeLessThan(1);
      }
    }
  });

  it("starts at another moment of the same cycle for another client", () => {
    const starts = new Set<string>();
    for (let client = 0; client < 50; client++) {
      const picker = createWeightedRoundRobin<Weighted>({ random: () => client / 50 });
      picker.update(listOf("a3 b1 c2"));
      starts.add(picksOf(picker, 6));
      expect(picksOf(picker, 6).split("").sort().join("")).toBe("aaabcc");
    }
    expect(starts.size).toBeGreaterThan(3);
  });

  it("does not pick an instance of weight 0, and joins it afresh when it has weight again", () => {
    const picker = pickerOf("a1 b1");
    picker.update(listOf("a1 b0"));
    expect(picksOf(picker, 4)).toBe("aaaa");
    picker.update(listOf("a1 b1"));
    expect(picksOf(picker, 4).split("").sort().join("")).toBe("aabb");
  });

  it("adds, reweighs and removes single instances", () => {
    const picker = pickerOf("a1");
    picker.add({ key: "b", weight: 1 });
    expect(picker.size).toBe(2);
    expect(picksOf(picker, 8).split("a").length - 1).toBe(4);
    picker.add({ key: "b", weight: 3 });
    expect(picksOf(picker, 8).split("a").length - 1).toBe(2);
    picker.add({ key: "b", weight: 0 });
    expect([picker.size, picksOf(picker, 2)]).toEqual([1, "aa"]);
    picker.remove("a");
    picker.remove("a");
    picker.remove("unknown");
    expect([picker.size, picker.pick()]).toEqual([0, undefined]);
  });

  it("goes on where it was when another instance joins in mid-cycle", () => {
    const picker = pickerOf("a1 b1 c1");
    const first = picksOf(picker, 2);
    picker.update(listOf("d1 c1 b1 a1"));
    const missing = ["a", "b", "c"].filter((key) => !first.includes(key)).join("");
    expect(picksOf(picker, 2).split("").sort().join("")).toBe(`${missing}d`);
  });

  it("takes turns on first attempts, however often one instance has to be excluded after them", () => {
    const picker = pickerOf("a1 b1");
    const first = Array.from({ length: 8 }, () => {
      const { key = "" } = picker.pick() ?? {};
      if (key === "a") picker.pick(new Set([key]));
      return key;
    });
    expect(first.join("")).toBe("abababab");
  });

  it("skips excluded instances of a heavy list after a light one", () => {
    const picker = pickerOf("a1");
    picksOf(picker, 10);
    // They join with so many picks behind them that counters are brought back in the very next pick.
    picker.update(listOf("a1 b1000000 c1000000"));
    expect(picker.pick(new Set(["b", "c"]))?.key).toBe("a");
    // Without that pick a would be a whole one ahead; it was nobody else's to have.
    expect(picksOf(picker, 4).split("").sort().join("")).toBe("abcc");
    picker.update(listOf("a1 c1"));
    expect(picksOf(picker, 6)).toBe("acacac");
    picker.update([]);
    expect(picker.pick()).toBeUndefined();
  });

  it("is not moved by how attempts end", () => {
    const told = pickerOf("a3 b1 c2");
    const untold = pickerOf("a3 b1 c2");
    for (let count = 0; count < 12; count++) {
      const picked = told.pick();
      expect(picked?.key).toBe(untold.pick()?.key);
      if (picked !== undefined) told.ended(picked, { ok: count % 2 === 0, durationMs: count });
    }
  });

  it("goes on as before after the lightest weight that there is has come and gone", () => {
    const picker = createWeightedRoundRobin<Weighted>({ random: seededRandom(1) });
    const heavy = [
      { key: "b", weight: 1_000_000 },
      { key: "c", weight: 500_000 },
    ];
    picker.update([{ key: "a", weight: 1e-6 }]);
    for (let count = 0; count < 10; count++) picker.pick();
    picker.update([{ key: "a", weight: 1e-6 }, ...heavy]);
    const share = (): number => {
      const keys = Array.from({ length: 300 }, () => picker.pick()?.key);
      return keys.filter((key) => key === "b").length;
    };
    expect(Math.abs(share() - 200)).toBeLessThanOrEqual(2);
    picker.update(heavy);
    expect(Math.abs(share() - 200)).toBeLessThanOrEqual(2);
  });
});
