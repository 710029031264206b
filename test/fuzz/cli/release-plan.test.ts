import fc from "fast-check";
import { describe, it } from "vitest";
import { releasePlan, type Split, splitOf } from "../../../src/cli/directory/release-plan.js";
import { weightProblem } from "../../../src/core/instance.js";
import { fuzz } from "../balance/fuzz-settings.js";

const share = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 100 }),
  fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
);

const percent = fc.oneof(
  fc.constantFrom(0, 100),
  fc.integer({ min: 0, max: 100 }),
  fc.double({ min: 1e-6, max: 100, noNaN: true }),
);

/** A group with one more member than `shares` has, the first of which is released. */
const releases = fc
  .record({
    shares: fc.array(share, { minLength: 2, maxLength: 20 }),
    percent,
    steps: fc.integer({ min: 1, max: 50 }),
    even: fc.integer({ min: 1, max: 19 }),
  })
  .map(({ shares, percent: to, steps, even }) => {
    const now = splitOf(new Map(shares.map((each, index) => [`m${index}`, each])));
    const others = [...now.keys()].slice(1);
    const goal = { member: "m0", percent: to, evenTo: others.slice(0, even) };
    return { now, goal, steps, plan: releasePlan(now, goal, steps) };
  });

const sumOf = (split: Split): number => [...split.values()].reduce((sum, each) => sum + each, 0);
const near = (a: number, b: number, by = 1e-4): boolean => Math.abs(a - b) <= by;

function holds(name: string, check: (release: ReturnType<typeof sample>) => boolean): void {
  it(name, () => {
    fc.assert(fc.property(releases, check), fuzz(300));
  });
}

function sample() {
  const [first] = fc.sample(releases, 1);
  if (first === undefined) throw new Error("no sample");
  return first;
}

describe("releasePlan, for any shares", () => {
  holds("has as many splits as steps, of the same members in the same order", (release) => {
    const { now, steps, plan } = release;
    const order = [...now.keys()].join();
    return plan.length === steps && plan.every((split) => [...split.keys()].join() === order);
  });

  holds("adds up to 100 in every step, of shares that a directory takes", ({ plan }) =>
    plan.every(
      (split) =>
        near(sumOf(split), 100) &&
        [...split.values()].every((each) => weightProblem(each) === undefined),
    ),
  );

  holds("ends with the member's share exactly, and moves every member one way only", (release) => {
    const { goal, plan } = release;
    const last = plan.at(-1)?.get("m0") ?? -1;
    return (
      near(last, goal.percent, 1e-6) &&
      [...(plan[0]?.keys() ?? [])].every((member) => {
        const way = plan.map((split) => split.get(member) ?? 0);
        const up = way.every((each, at) => at === 0 || each >= (way[at - 1] ?? 0));
        const down = way.every((each, at) => at === 0 || each <= (way[at - 1] ?? 0));
        return up || down;
      })
    );
  });

  holds("leaves the others in their proportions", ({ now, plan }) => {
    const others = [...now].slice(1);
    const total = others.reduce((sum, [, each]) => sum + each, 0);
    if (total < 1e-3) return true;
    return plan.every((split) => {
      const rest = sumOf(split) - (split.get("m0") ?? 0);
      return others.every(([member, before]) =>
        near(split.get(member) ?? 0, (before / total) * rest, 1e-4),
      );
    });
  });
});
