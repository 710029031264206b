import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLeaseExpiry, type Expiring } from "../../../src/directory/lease-expiry.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { createStoppedClock } from "../../support/stopped-clock.js";

function neverStalled(stallMs: number): void {
  throw new Error(`stalled for ${stallMs} ms`);
}

describe("createLeaseExpiry", () => {
  it("ends every lease at its own moment, with one timer, whatever is renewed on the way", () => {
    const times = fc.array(
      fc.record({
        ttlMs: fc.integer({ min: 1, max: 100 }),
        renewals: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 5 }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(times, (plan) => {
        const clock = createFakeClock(0);
        const ended = new Map<Expiring, number>();
        const expiry = createLeaseExpiry<Expiring>(clock, {
          onExpired: (lease) => ended.set(lease, clock.now()),
          onStall: neverStalled,
        });
        const leases = plan.map(({ ttlMs, renewals }) => {
          const lease = { expiresMs: ttlMs, gone: false };
          expiry.add(lease);
          return { lease, ttlMs, renewals };
        });
        for (let now = 0; now <= 500; now++) {
          expect(clock.pending().length).toBeLessThanOrEqual(1);
          for (const { lease, ttlMs, renewals } of leases) {
            if (renewals.includes(now) && !ended.has(lease)) lease.expiresMs = now + ttlMs;
          }
          clock.advance(1);
        }
        for (const { lease } of leases) expect(ended.get(lease)).toBe(lease.expiresMs);
        expect(clock.pending()).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  it("does not hold what is given back, and keeps no process alive", () => {
    const clock = createFakeClock();
    const ended: Expiring[] = [];
    const expiry = createLeaseExpiry<Expiring>(clock, {
      onExpired: (lease) => ended.push(lease),
      onStall: neverStalled,
    });
    for (let i = 0; i < 10_000; i++) {
      const lease = { expiresMs: clock.now() + 1_000, gone: false };
      expiry.add(lease);
      lease.gone = true;
    }
    const kept = { expiresMs: clock.now() + 1_000, gone: false };
    expiry.add(kept);
    expect(clock.pending()).toEqual([{ dueMs: clock.now() + 1_000, background: true }]);
    clock.advance(1_000);
    expect(ended).toEqual([kept]);
    expiry.close();
    expiry.add({ expiresMs: clock.now() + 1, gone: false });
    expect(clock.pending()).toEqual([]);
  });

  it("does not count a time in which nothing ran, and says how long it was", () => {
    const clock = createStoppedClock();
    const ended: [Expiring, number][] = [];
    const stalls: number[] = [];
    const expiry = createLeaseExpiry<Expiring>(clock, {
      onExpired: (lease) => ended.push([lease, clock.now()]),
      onStall: (stallMs) => stalls.push(stallMs),
    });
    const start = clock.now();
    const soon = { expiresMs: start + 2_000, gone: false };
    const late = { expiresMs: start + 10_000, gone: false };
    expiry.add(soon);
    expiry.add(late);
    clock.advance(1_000);
    clock.stop(60_000);
    // The timer that was due in one second comes after sixty.
    clock.advance(0);
    expect(stalls).toEqual([60_000]);
    expect(ended).toEqual([]);
    clock.advance(20_000);
    expect(ended).toEqual([
      [soon, start + 2_000 + 60_000],
      [late, start + 10_000 + 60_000],
    ]);
  });

  it("notices it however far away the next end is, and counts what only came late", () => {
    const clock = createStoppedClock();
    const stalls: number[] = [];
    const ended: number[] = [];
    const expiry = createLeaseExpiry<Expiring>(clock, {
      onExpired: () => ended.push(clock.now()),
      onStall: (stallMs) => stalls.push(stallMs),
    });
    const start = clock.now();
    expiry.add({ expiresMs: start + 60_000, gone: false });
    clock.advance(500);
    clock.stop(1_500);
    clock.advance(0);
    expect(stalls).toEqual([]);
    clock.stop(30_000);
    clock.advance(0);
    expect(stalls).toEqual([30_000]);
    clock.advance(60_000);
    expect(ended).toEqual([start + 90_000]);
  });
});
