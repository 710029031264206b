import { describe, expect, it } from "vitest";
import { releasePlan, splitOf, stepsFor } from "../../../../src/cli/directory/release-plan.js";

const split = (shares: Record<string, number>) => splitOf(new Map(Object.entries(shares)));

const plan = (
  now: Record<string, number>,
  [member, percent]: readonly [string, number],
  steps = 1,
  evenTo: readonly string[] = [],
) =>
  releasePlan(split(now), { member, percent, evenTo }, steps).map((each) =>
    Object.fromEntries(each),
  );

describe("releasePlan", () => {
  it("moves one member in even steps and leaves the others their proportions", () => {
    expect(plan({ a: 60, b: 20, new: 20 }, ["new", 60], 2)).toEqual([
      { a: 45, b: 15, new: 40 },
      { a: 30, b: 10, new: 60 },
    ]);
  });

  it("takes shares that are relative to each other, and leaves fractions without noise", () => {
    expect(plan({ a: 2, b: 1, new: 0 }, ["new", 0.1])).toEqual([{ a: 66.6, b: 33.3, new: 0.1 }]);
  });

  it("gives the rest evenly to those who are named where no other has anything", () => {
    expect(plan({ a: 0, b: 0, c: 0, new: 5 }, ["new", 40], 1, ["a", "c"])).toEqual([
      { a: 30, b: 0, c: 30, new: 40 },
    ]);
  });

  it("begins with everything at the others where nobody has anything", () => {
    expect(plan({ a: 0, b: 0, new: 0 }, ["new", 50], 2, ["a", "b"])).toEqual([
      { a: 37.5, b: 37.5, new: 25 },
      { a: 25, b: 25, new: 50 },
    ]);
    expect(plan({ new: 0 }, ["new", 100])).toEqual([{ new: 100 }]);
  });

  it("drains the others with 100, and the member with 0", () => {
    expect(plan({ a: 1, new: 2 }, ["new", 100])).toEqual([{ a: 0, new: 100 }]);
    expect(plan({ a: 1, b: 3, new: 4 }, ["new", 0])).toEqual([{ a: 25, b: 75, new: 0 }]);
  });
});

describe("stepsFor", () => {
  it.each([
    [0, 40, 10, 4],
    [40, 0, 10, 4],
    [0, 40, 15, 3],
    [0, 0.3, 0.1, 3],
    [5, 5, 10, 1],
    [0, 100, 100, 1],
  ])("leads from %d to %d by at most %d in %d", (from, to, points, steps) => {
    expect(stepsFor(from, to, points)).toBe(steps);
  });
});
