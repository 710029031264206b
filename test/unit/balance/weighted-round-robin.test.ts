import { describe, expect, it } from "vitest";
import type { Picker, Weighted } from "../../../src/balance/picker.js";
import { createWeightedRoundRobin } from "../../../src/balance/weighted-round-robin.js";
import { seededRandom } from "../../../src/core/seeded-random.js";

interface Named extends Weighted {
  readonly note?: string;
}

/** A picker with no phase and fixed ties over instances given as "a3 b1": key and weight. */
function pickerOf(text: string): Picker<Named> {
  const picker = createWeightedRoundRobin<Named>({ random: () => 0.5, phase: "zero" });
  picker.update(listOf(text));
  return picker;
}

function listOf(text: string): Named[] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => ({ key: word.slice(0, 1), weight: Number(word.slice(1)) }));
}

function picksOf(picker: Picker<Named>, count: number): string {
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
      const picker = createWeightedRoundRobin<Named>({ random: () => client / 50 });
      picker.update(listOf("a3 b1 c2"));
      starts.add(picksOf(picker, 6));
      expect(picksOf(picker, 6).split("").sort().join("")).toBe("aaabcc");
    }
    expect(starts.size).toBeGreaterThan(3);
  });

  it("picks nothing when it knows no instance, or only instances of weight 0", () => {
    const picker = pickerOf("");
    expect(picker.pick()).toBeUndefined();
    picker.update(listOf("a0 b0"));
    expect([picker.size, picker.pick()]).toEqual([0, undefined]);
    expect(picker.pick(new Set(["a"]))).toBeUndefined();
  });

  it("does not pick an instance of weight 0, and joins it afresh when it has weight again", () => {
    const picker = pickerOf("a1 b1");
    picker.update(listOf("a1 b0"));
    expect(picksOf(picker, 4)).toBe("aaaa");
    picker.update(listOf("a1 b1"));
    expect(picksOf(picker, 4).split("").sort().join("")).toBe("aabb");
  });

  it("returns the object that was given last for a key", () => {
    const picker = pickerOf("a1");
    const newer: Named = { key: "a", weight: 1, note: "newer" };
    picker.update([newer]);
    expect(picker.pick()).toBe(newer);
    const newest: Named = { key: "a", weight: 2, note: "newest" };
    picker.add(newest);
    expect(picker.pick()).toBe(newest);
    expect(picker.size).toBe(1);
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

  it("skips excluded instances, and picks nothing when all are excluded", () => {
    const picker = pickerOf("a3 b1 c2");
    expect(picker.pick(new Set(["a", "c"]))?.key).toBe("b");
    expect(picker.pick(new Set(["a", "b", "unknown"]))?.key).toBe("c");
    expect(picker.pick(new Set(["a", "b", "c"]))).toBeUndefined();
    expect(picker.pick(new Set())?.key).toBe("a");
  });

  it("gives an excluded instance its missed picks afterwards", () => {
    const picker = pickerOf("a1 b1");
    for (let count = 0; count < 3; count++) picker.pick(new Set(["a"]));
    expect(picksOf(picker, 3)).toBe("aaa");
  });

  it("skips excluded instances of a heavy list after a light one", () => {
    const picker = pickerOf("a1");
    picksOf(picker, 10);
    // They join with so many picks behind them that counters are brought back in the very next pick.
    picker.update(listOf("a1 b1000000 c1000000"));
    expect(picker.pick(new Set(["b", "c"]))?.key).toBe("a");
    expect(picksOf(picker, 4).split("").sort().join("")).toBe("bbcc");
    picker.update(listOf("a1 c1"));
    expect(picksOf(picker, 6)).toBe("cacaca");
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

  it.each([Number.NaN, -1, -0.001, 1e-310, 0.99e-6, 1_000_000.5, Number.POSITIVE_INFINITY])(
    "refuses weight %s and keeps the list it had",
    (weight) => {
      const picker = pickerOf("a1");
      const bad = { key: "bad one", weight };
      const message = `instance bad one: weight is ${weight}, expected`;
      expect(() => picker.update([{ key: "b", weight: 1 }, bad])).toThrow(RangeError);
      expect(() => picker.add(bad)).toThrow(message);
      expect(picksOf(picker, 2)).toBe("aa");
    },
  );

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

  it("refuses a key that is listed twice and keeps the list it had", () => {
    const picker = pickerOf("a1");
    for (const twice of ["a1 a1", "b1 a1 b2", "b0 b0"]) {
      expect(() => picker.update(listOf(twice))).toThrow(RangeError);
    }
    expect(() => picker.update(listOf("b1 b1"))).toThrow("instance b is listed twice");
    expect(picksOf(picker, 2)).toBe("aa");
  });

  it("takes the largest weight beside the smallest", () => {
    const picker = pickerOf("a1000000 b0.000001");
    expect(picksOf(picker, 100)).toBe("a".repeat(100));
  });
});
