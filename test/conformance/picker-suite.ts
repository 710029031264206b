import { describe, expect, it } from "vitest";
import type { Picker, PickerPorts, Weighted } from "../../src/balance/picker.js";
import { seededRandom } from "../../src/core/seeded-random.js";

/** An instance that can be told from another of the same key. */
export interface Named extends Weighted {
  readonly note?: string;
}

/** One picker with the time it goes by, in the hands of a test. */
export interface PickerDriver {
  /** How its shares follow the weights while nobody is busy: to within a pick, or as chance has it. */
  readonly shares: "exact" | "random";
  create(ports: PickerPorts): Picker<Named>;
}

/** Instances given as "a3 b1": key and weight. */
export function listOf(text: string): Named[] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => ({ key: word.slice(0, 1), weight: Number(word.slice(1)) }));
}

/** What every picker must hold, whatever it picks by. */
export function describePicker(name: string, { create, shares }: PickerDriver): void {
  let nowMs = 0;

  function pickerOf(text: string, seed = 1): Picker<Named> {
    const picker = create({ random: seededRandom(seed), now: () => nowMs });
    picker.update(listOf(text));
    return picker;
  }

  /** A pick and its end, as of a client that makes one call at a time on instances that are all as fast. */
  function call(picker: Picker<Named>, excluded?: ReadonlySet<string>): string {
    const picked = picker.pick(excluded);
    nowMs += 5;
    if (picked !== undefined) picker.ended(picked, { ok: true, durationMs: 5 });
    return picked?.key ?? "-";
  }

  function calls(picker: Picker<Named>, count: number): string {
    return Array.from({ length: count }, () => call(picker)).join("");
  }

  /** Picks of which none has ended yet. */
  function open(picker: Picker<Named>, count: number): (Named | undefined)[] {
    return Array.from({ length: count }, () => picker.pick());
  }

  /** Picks of a client that has a hundred attempts under way, each of which takes as long. */
  function busily(picker: Picker<Named>, count: number): string {
    const picked = open(picker, 100);
    for (let at = 0; at < count; at++) {
      nowMs += 1;
      const done = picked[at];
      if (done !== undefined) picker.ended(done, { ok: true, durationMs: 100 });
      picked.push(picker.pick());
    }
    return picked
      .slice(100)
      .map((one) => one?.key ?? "-")
      .join("");
  }

  function timesOf(keys: string): Record<string, number> {
    const times: Record<string, number> = {};
    for (const key of keys) times[key] = (times[key] ?? 0) + 1;
    return times;
  }

  describe(`a ${name} picker`, () => {
    it("picks nothing when it knows no instance, or none with a weight", () => {
      const picker = create({ random: seededRandom(1), now: () => 0 });
      expect([picker.size, picker.pick()]).toEqual([0, undefined]);
      for (const text of ["a0", "a0 b0", ""]) {
        picker.update(listOf(text));
        expect([picker.size, picker.pick(), picker.pick(new Set(["a"]))]).toEqual([
          0,
          undefined,
          undefined,
        ]);
      }
    });

    it("picks only those that are in its last list and have a weight", () => {
      const picker = pickerOf("a1 b2 c0");
      for (const [text, keys] of [
        ["a1 b2 c0", "ab"],
        ["a0 b2 c1", "bc"],
        ["d5", "d"],
        ["d5 a1 b1 c1 e1 f1 g1 h1", "abcdefgh"],
        ["h1 a1", "ah"],
      ] as const) {
        picker.update(listOf(text));
        expect(picker.size).toBe(keys.length);
        expect(
          Object.keys(timesOf(calls(picker, 400)))
            .sort()
            .join(""),
        ).toBe(keys);
      }
      picker.update([]);
      expect([picker.size, picker.pick()]).toEqual([0, undefined]);
    });

    it("adds, reweighs and removes single instances", () => {
      const picker = pickerOf("a1");
      picker.add({ key: "b", weight: 1 });
      expect(picker.size).toBe(2);
      expect(Object.keys(timesOf(calls(picker, 100))).sort()).toEqual(["a", "b"]);
      picker.add({ key: "b", weight: 0 });
      picker.add({ key: "z", weight: 0 });
      expect([picker.size, calls(picker, 20)]).toEqual([1, "a".repeat(20)]);
      picker.add({ key: "b", weight: 7 });
      picker.remove("a");
      picker.remove("a");
      picker.remove("unknown");
      expect([picker.size, calls(picker, 20)]).toEqual([1, "b".repeat(20)]);
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

    it("picks nobody who is excluded, and nothing when all are", () => {
      const picker = pickerOf("a1000 b1 c2");
      for (let count = 0; count < 100; count++) {
        expect(call(picker, new Set(["a", "c"]))).toBe("b");
        expect(call(picker, new Set(["a"]))).not.toBe("a");
        expect(call(picker, new Set(["b", "c", "unknown"]))).toBe("a");
        expect(call(picker, new Set(["a", "b", "c"]))).toBe("-");
        expect(call(picker, new Set(["unknown"]))).not.toBe("-");
        expect(call(picker, new Set())).not.toBe("-");
      }
      expect(picker.size).toBe(3);
    });

    it("goes on as before when all were excluded", () => {
      const picker = pickerOf("a3 b1 c2");
      const undisturbed = pickerOf("a3 b1 c2");
      const all = new Set(["a", "b", "c"]);
      for (let count = 0; count < 50; count++) {
        expect(picker.pick(all)).toBeUndefined();
        expect(call(picker)).toBe(call(undisturbed));
      }
    });

    it("goes on as before when the same list comes again, in any order and with new objects", () => {
      const picker = pickerOf("a3 b1 c2 d9");
      const undisturbed = pickerOf("a3 b1 c2 d9");
      const orders = ["d9 c2 b1 a3", "c2 d9 a3 b1", "a3 b1 c2 d9 e0"];
      for (let count = 0; count < 60; count++) {
        picker.update(listOf(orders[count % 3] ?? ""));
        if (count % 2 === 0) picker.add({ key: "c", weight: 2, note: `${count}` });
        expect(open(picker, 3).map((one) => one?.key)).toEqual(
          open(undisturbed, 3).map((one) => one?.key),
        );
      }
    });

    it("picks the same for the same seed, whatever the order of the list, and not for another", () => {
      const keys = (text: string, seed: number): string => calls(pickerOf(text, seed), 100);
      expect(keys("a3 b1 c2 d2", 7)).toBe(keys("a3 b1 c2 d2", 7));
      expect(keys("d2 a3 c2 b1", 7)).toBe(keys("a3 b1 c2 d2", 7));
      const others = new Set([1, 2, 3, 4, 5, 6].map((seed) => keys("a3 b1 c2 d2", seed)));
      expect(others.size).toBeGreaterThan(2);
    });

    it.each([Number.NaN, -1, -0.001, 1e-310, 0.99e-6, 1_000_000.5, Number.POSITIVE_INFINITY])(
      "refuses weight %s and keeps the list it had",
      (weight) => {
        const picker = pickerOf("a1");
        const bad = { key: "bad one", weight };
        const message = `instance bad one: weight is ${weight}, expected`;
        expect(() => picker.update([{ key: "b", weight: 1 }, bad])).toThrow(RangeError);
        expect(() => picker.add(bad)).toThrow(message);
        expect(() => picker.add({ key: "a", weight })).toThrow("instance a: weight is");
        expect([picker.size, calls(picker, 9)]).toEqual([1, "aaaaaaaaa"]);
      },
    );

    it("refuses a key that is listed twice and keeps the list it had", () => {
      const picker = pickerOf("a1");
      for (const twice of ["a1 a1", "b1 a1 b2", "b0 b0", "b1 b0", "a1 a0"]) {
        expect(() => picker.update(listOf(twice))).toThrow(/^instance [ab] is listed twice$/);
      }
      expect([picker.size, calls(picker, 9)]).toEqual([1, "aaaaaaaaa"]);
    });

    it("takes the largest weight beside the smallest", () => {
      const picker = pickerOf("a1000000 b0.000001");
      expect(calls(picker, 100)).toBe("a".repeat(100));
      expect(call(picker, new Set(["a"]))).toBe("b");
      picker.remove("a");
      expect(calls(picker, 9)).toBe("bbbbbbbbb");
    });

    it("is none the worse for ends of attempts on those that have left, and for ends too many", () => {
      const picker = pickerOf("a1 b1");
      const early = open(picker, 40);
      picker.update(listOf("b1 c1"));
      picker.update(listOf("a1 b1 c1"));
      for (const one of early)
        if (one !== undefined) picker.ended(one, { ok: true, durationMs: 5 });
      for (let count = 0; count < 20; count++) {
        picker.ended({ key: "never listed", weight: 1 }, { ok: false, durationMs: 1 });
        picker.ended({ key: "b", weight: 1 }, { ok: true, durationMs: 5 });
      }
      const times = timesOf(calls(picker, 300));
      for (const key of "abc") {
        // One that counted as less than idle would be in every pick that it is drawn for: 200.
        expect(times[key]).toBeGreaterThan(70);
        expect(times[key]).toBeLessThan(140);
      }
    });

    it.each([
      { ok: true, durationMs: Number.NaN },
      { ok: true, durationMs: -5 },
      { ok: false, durationMs: Number.POSITIVE_INFINITY },
      { ok: undefined, durationMs: Number.NaN },
    ])("picks all of them still after an attempt that ended with %o", (outcome) => {
      const picker = pickerOf("a1 b1 c1");
      for (const one of open(picker, 3)) if (one !== undefined) picker.ended(one, outcome);
      expect(
        Object.keys(
          timesOf(
            open(picker, 100)
              .map((one) => one?.key)
              .join(""),
          ),
        ).sort(),
      ).toEqual(["a", "b", "c"]);
    });

    it("gives everybody the share that the weights say while it is busy all the time", () => {
      const times = timesOf(busily(pickerOf("a1 b2 c3 d4"), 4_000));
      for (const { key, weight } of listOf("a1 b2 c3 d4")) {
        expect(Math.abs((times[key] ?? 0) - 400 * weight)).toBeLessThan(
          shares === "exact" ? 2 : 400 * weight * 0.15,
        );
      }
    });

    it("gives first calls of many clients to everybody as the weights say", () => {
      const clients = 4_000;
      let seen = "";
      for (let seed = 0; seed < clients; seed++) seen += call(pickerOf("a1 b2 c3 d4", seed));
      const times = timesOf(seen);
      for (const { key, weight } of listOf("a1 b2 c3 d4")) {
        const fair = (clients * weight) / 10;
        // Five deviations of a draw: by chance once in a million.
        expect(Math.abs((times[key] ?? 0) - fair)).toBeLessThan(5 * Math.sqrt(fair));
      }
    });
  });
}
