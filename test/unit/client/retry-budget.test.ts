import { describe, expect, it } from "vitest";
import { RetryBudget } from "../../../src/client/retry-budget.js";
import { createFakeClock } from "../../support/fake-clock.js";

function withdrawals(budget: RetryBudget, tries: number): number {
  let granted = 0;
  for (let n = 0; n < tries; n++) if (budget.withdraw()) granted++;
  return granted;
}

describe("RetryBudget", () => {
  it("has a burst of 100 to begin with", () => {
    expect(withdrawals(new RetryBudget(0.1, createFakeClock()), 1_000)).toBe(100);
  });

  it("earns its ratio with every call, up to the burst", () => {
    const budget = new RetryBudget(0.1, createFakeClock());
    withdrawals(budget, 100);
    for (let call = 0; call < 55; call++) budget.deposit();
    expect(withdrawals(budget, 1_000)).toBe(5);
    for (let call = 0; call < 100_000; call++) budget.deposit();
    expect(withdrawals(budget, 1_000)).toBe(100);
  });

  it("earns ten a second by itself, so that a quiet client may retry", () => {
    const clock = createFakeClock();
    const budget = new RetryBudget(0, clock);
    withdrawals(budget, 100);
    clock.advance(450);
    expect(withdrawals(budget, 1_000)).toBe(4);
    clock.advance(3_600_000);
    expect(withdrawals(budget, 1_000)).toBe(100);
  });

  it("keeps retries near a tenth of the calls while everything fails", () => {
    const budget = new RetryBudget(0.1, createFakeClock());
    withdrawals(budget, 100);
    let retries = 0;
    for (let call = 0; call < 10_000; call++) {
      budget.deposit();
      retries += withdrawals(budget, 2);
    }
    expect(retries).toBeGreaterThanOrEqual(998);
    expect(retries).toBeLessThanOrEqual(1_000);
  });
});
