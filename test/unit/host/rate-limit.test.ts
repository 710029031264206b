import { describe, expect, it } from "vitest";
import { RateLimit } from "../../../src/host/rate-limit.js";
import { createFakeClock } from "../../support/fake-clock.js";

/** Takes what a priority may have now; tells how many that were. */
function drain(limit: RateLimit, priority: "high" | "normal"): number {
  let taken = 0;
  while (limit.waitMs(priority) === 0 && taken < 1_000) {
    limit.take();
    taken++;
  }
  return taken;
}

describe("RateLimit", () => {
  it("limits nothing at 0", () => {
    expect(drain(new RateLimit(0, createFakeClock()), "normal")).toBe(1_000);
  });

  it.each([
    { perSecond: 0.5, normal: 1, high: 0 },
    { perSecond: 1, normal: 1, high: 0 },
    { perSecond: 1.9, normal: 1, high: 0 },
    { perSecond: 2, normal: 1, high: 1 },
    { perSecond: 10, normal: 9, high: 1 },
    { perSecond: 100, normal: 90, high: 10 },
  ])(
    "begins with a second's worth at $perSecond a second and keeps a tenth for high priority",
    ({ perSecond, normal, high }) => {
      const limit = new RateLimit(perSecond, createFakeClock());
      expect(drain(limit, "normal")).toBe(normal);
      expect(drain(limit, "high")).toBe(high);
    },
  );

  it("lets in at the rate in the long run, and no more than a second's worth after a quiet time", () => {
    const clock = createFakeClock();
    const limit = new RateLimit(20, clock);
    drain(limit, "normal");
    let taken = 0;
    for (let ms = 0; ms < 10_000; ms += 10) {
      clock.advance(10);
      taken += drain(limit, "normal");
    }
    expect(taken).toBe(200);
    clock.advance(60_000);
    expect(drain(limit, "high")).toBe(20);
  });

  it.each([0.3, 1, 3, 7, 30, 333])("tells when a token is there, at %d a second", (perSecond) => {
    const clock = createFakeClock();
    const limit = new RateLimit(perSecond, clock);
    drain(limit, "high");
    const waitMs = limit.waitMs("high");
    expect(waitMs).toBeCloseTo(1_000 / perSecond, 3);
    clock.advance(waitMs / 2);
    expect(limit.waitMs("high")).toBeCloseTo(waitMs / 2, 3);
    clock.advance(waitMs / 2);
    expect(limit.waitMs("high")).toBe(0);
  });

  it("takes tokens back, never more than the bucket holds", () => {
    const limit = new RateLimit(1, createFakeClock());
    limit.take();
    expect(limit.waitMs("high")).toBe(1_000);
    limit.giveBack();
    limit.giveBack();
    expect(drain(limit, "high")).toBe(1);
  });

  it("changes its rate: a lower one cuts what is left, a higher one adds nothing, a new one begins full", () => {
    const clock = createFakeClock();
    const limit = new RateLimit(100, clock);
    limit.setRate(10);
    expect(drain(limit, "high")).toBe(10);
    limit.setRate(50);
    expect(limit.waitMs("high")).toBe(20);
    limit.setRate(0);
    clock.advance(1);
    limit.setRate(5);
    expect(drain(limit, "high")).toBe(5);
  });
});
