import { describe, expect, it } from "vitest";
import { tieRank } from "../../../src/balance/tie-rank.js";

const keys = Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}:80`);

describe("tieRank", () => {
  it("is a whole number that a double holds exactly, the same every time", () => {
    for (const key of ["", "a", "10.0.0.1:80", "ünïcödé"]) {
      expect(Number.isSafeInteger(tieRank(key, 7))).toBe(true);
      expect(tieRank(key, 7)).toBe(tieRank(key, 7));
    }
  });

  it("tells ten thousand addresses apart", () => {
    expect(new Set(keys.map((key) => tieRank(key, 42))).size).toBe(keys.length);
  });

  it("orders the same keys differently for different seeds, each first about equally often", () => {
    const four = keys.slice(0, 4);
    const firsts = new Map(four.map((key) => [key, 0]));
    for (let seed = 0; seed < 4_000; seed++) {
      const [first = ""] = [...four].sort((a, b) => tieRank(a, seed) - tieRank(b, seed));
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    for (const count of firsts.values()) {
      expect(count).toBeGreaterThan(800);
      expect(count).toBeLessThan(1_200);
    }
  });
});
