import { describe, expect, it } from "vitest";
import {
  saysNotAvailable,
  sharedWeight,
  sortServices,
  weightsOf,
} from "../../../src/resolve/dns/srv-records.js";

const record = { priority: 0, weight: 1, port: 80, target: "a.test" };

describe("sortServices", () => {
  it("groups by priority, the most wanted first, in the order of the answer", () => {
    const { priorities, rejected } = sortServices([
      { ...record, priority: 20 },
      { ...record, priority: 10, port: 1 },
      { ...record, priority: 10, port: 2 },
    ]);
    expect(priorities.map((alike) => alike.map(({ port }) => port))).toEqual([[1, 2], [80]]);
    expect(rejected).toBe(0);
  });

  it.each([
    [{ target: "a b" }, 'target is "a b"'],
    [{ target: "." }, 'target is "."'],
    [{ target: "a..test" }, "target is"],
    [{ target: "\u0000.test" }, "target is"],
    [{ port: 0 }, "port is 0"],
  ])("leaves out %j", (wrong, problem) => {
    const sorted = sortServices([{ ...record, ...wrong }, record]);
    expect(sorted).toMatchObject({ priorities: [[record]], rejected: 1 });
    expect(sorted.firstProblem).toContain(problem);
  });
});

describe("saysNotAvailable", () => {
  it("takes a lone dot for a no, and one beside others for a mistake", () => {
    expect(saysNotAvailable([{ ...record, target: "." }])).toBe(true);
    expect(saysNotAvailable([{ ...record, target: "." }, record])).toBe(false);
    expect(saysNotAvailable([])).toBe(false);
  });
});

describe("weightsOf", () => {
  it.each<[readonly number[], readonly number[]]>([
    [
      [60, 20, 20],
      [60, 20, 20],
    ],
    [
      [65_535, 1, 0],
      [65_535, 1, 0.01],
    ],
    [
      [0, 50, 10],
      [0.1, 50, 10],
    ],
    [
      [0, 0],
      [100, 100],
    ],
    [[], []],
  ])("makes %j %j", (weights, expected) => {
    expect(weightsOf(weights.map((weight) => ({ weight })))).toEqual(expected);
  });

  it("shares a weight, never below the smallest that there is", () => {
    expect(sharedWeight(100, 4)).toBe(25);
    expect(sharedWeight(0.01, 1_000_000)).toBe(1e-6);
  });
});
