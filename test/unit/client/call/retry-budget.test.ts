import { describe, expect, it } from "vitest";
import { RetryBudget } from "../../../../src/client/call/retry-budget.js";
import { createFakeClock } from "../../../support/fake-clock.js";

function withdrawals(budget: RetryBudget, tries: number): number {
  let granted = 0;
  for (let n = 0; n < tries; n++) if (budget.withdraw()) granted++;
  return granted;
}

describe("RetryBudget", () => {
  it("has 10 to begin with", () => {
    expect(withdrawals(new RetryBudget(0.1, createFakeClock()), 1_000)).toBe(10);
  });

  it("earns its ratio with every success, up to 100", () => {
    const budget = new RetryBudget(0.1, createFakeClock());
    withdrawals(budget, 100);
    for (let call = 0; call < 55; call++) budget.deposit();
    expect(withdrawals(budget, 1_000)).toBe(5);
    for (let call = 0; call < 100_000; call++) budget.deposit();
    expect(withdrawals(budget, 1_000)).toBe(100);
  });

  it("gets its start back by itself within a quarter of an hour or so, and no more than that", () => {
    const clock = createFakeClock();
    const budget = new RetryBudget(0.1, clock);
    withdrawals(budget, 100);
    clock.advance(99_000);
    expect(withdrawals(budget, 1_000)).toBe(0);
    clock.advance(201_000);
    expect(withdrawals(budget, 1_000)).toBe(3);
    clock.advance(3_600_000);
    expect(withdrawals(budget, 1_000)).toBe(10);
  });

  it("takes nothing away from what successes have earned", () => {
    const clock = createFakeClock();
    const budget = new RetryBudget(1, clock);
    for (let call = 0; call < 20; call++) budget.deposit();
    clock.advance(3_600_000);
    expect(withdrawals(budget, 1_000)).toBe(30);
  });

  it("gives nothing with a ratio of 0", () => {
    const clock = createFakeClock();
    const budget = new RetryBudget(0, clock);
    clock.advance(3_600_000);
    budget.deposit();
    expect(withdrawals(budget, 1_000)).toBe(0);
  });

  it.each([
    [10, 1_000],
    [1, 10_000],
    [0.1, 10_000],
  ])(
    "keeps attempts within 1.1 a call when all of %d calls a second fail, %d in all",
    (rate, calls) => {
      const clock = createFakeClock();
      const budget = new RetryBudget(0.1, clock);
      let retries = 0;
      for (let call = 0; call < calls; call++) {
        clock.advance(1_000 / rate);
        retries += withdrawals(budget, 2);
      }
      // The start besides.
      expect(retries).toBeLessThanOrEqual(0.1 * calls + 10);
    },
  );
});
