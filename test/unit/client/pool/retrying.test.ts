import { describe, expect, it } from "vitest";
import { answeredEnd, fakePool } from "../../../support/client-pool.js";

const MINUTE_MS = 60_000;

/** A pool in which everybody but the first is down from now on, for good. */
function pastOutage(count: number, idleTimeoutMs = Number.POSITIVE_INFINITY) {
  const ports = Array.from({ length: count }, (_, index) => String(index + 1));
  const made = fakePool({ ejection: undefined, idleTimeoutMs }, ...ports);
  made.connect(...ports);
  const { transports, clock, pool } = made;
  let seen = count;
  /** Time goes by, and nobody but these can be reached. @returns how many tries there were */
  const pass = (ms: number, ...well: readonly string[]): number => {
    const before = transports.all.length;
    for (const end = clock.now() + ms; clock.now() < end; ) {
      clock.advance(Math.min(10, end - clock.now()));
      for (; seen < transports.all.length; seen++) {
        const transport = transports.all[seen];
        const port = transport?.instance.key.split(":")[1] ?? "";
        transport?.become(well.includes(port) ? "ready" : "failed");
      }
    }
    return transports.all.length - before;
  };
  clock.advance(2_000);
  for (const port of ports.slice(1)) made.to(port).become("failed");
  const call = (): void => {
    const member = pool.pick();
    if (member !== undefined) made.end(member, answeredEnd);
  };
  return { ...made, pass, call };
}

describe("tries to reach instances that are down", () => {
  it("come less than a second apart for a minute, then more and more seldom, up to half a minute", () => {
    const { pass } = pastOutage(2);
    expect(pass(MINUTE_MS)).toBeGreaterThan(60);
    expect(pass(5 * MINUTE_MS)).toBeLessThan(25);
    const tries = pass(10 * MINUTE_MS);
    expect(tries).toBeGreaterThan(15);
    expect(tries).toBeLessThan(27);
  });

  it("are frequent again after a connection that lasted", () => {
    const { pass, to } = pastOutage(2);
    pass(10 * MINUTE_MS);
    pass(MINUTE_MS, "2");
    to("2").become("idle");
    to("2").become("failed");
    expect(pass(10_000)).toBeGreaterThan(10);
  });

  it("are fifty a second at most, however many are down, and as many as may be while somebody waits", () => {
    const { pass, to, pool } = pastOutage(400);
    expect(pass(10_000)).toBeLessThanOrEqual(501);
    expect(pass(2 * MINUTE_MS)).toBeLessThanOrEqual(6_001);
    to("1").become("failed");
    pool.wait(() => {});
    expect(pass(1_000)).toBeGreaterThan(300);
  });

  it("end with the calls, and begin again with the next one", () => {
    const { pass, call, pool, transports } = pastOutage(50, 10 * MINUTE_MS);
    for (let minute = 0; minute < 9; minute++) {
      call();
      expect(pass(MINUTE_MS)).toBeGreaterThan(0);
    }
    // The last call may have been seen by the next try only.
    pass(11 * MINUTE_MS);
    expect(pass(60 * MINUTE_MS)).toBe(0);
    call();
    expect(pass(1_000)).toBeGreaterThan(40);
    pass(12 * MINUTE_MS);
    expect(pass(60 * MINUTE_MS)).toBe(0);
    const made = transports.all.length;
    pool.wait(() => {});
    expect(transports.all.length - made).toBeGreaterThan(40);
  });

  it("hold no timer in a pool that nobody calls", () => {
    const { pass, clock } = pastOutage(50, MINUTE_MS);
    pass(5 * MINUTE_MS);
    expect(clock.pending()).toEqual([]);
  });
});

describe("an instance that accepts connections and drops them", () => {
  it("is used when a connection has lasted for a second", () => {
    const { to, clock, pool } = pastOutage(2);
    clock.advance(250);
    to("2").become("ready");
    expect(pool.usable).toBe(2);
    clock.advance(30);
    to("2").become("idle");
    for (let n = 0; n < 5; n++) {
      clock.advance(1_000);
      to("2").become("ready");
      expect(pool.usable).toBe(1);
      clock.advance(30);
      to("2").become("idle");
    }
    clock.advance(1_000);
    to("2").become("ready");
    clock.advance(999);
    expect(pool.counts()).toMatchObject({ usable: 1, connected: 1 });
    clock.advance(1);
    expect(pool.counts()).toMatchObject({ usable: 2, connected: 2 });
  });

  it("is used at once when there is nobody else", () => {
    const { to, clock, pool } = pastOutage(2);
    to("1").become("failed");
    clock.advance(250);
    for (const port of ["2", "1"]) {
      to(port).become("ready");
      to(port).become("idle");
    }
    expect(pool.usable).toBe(0);
    clock.advance(1_000);
    to("2").become("ready");
    expect(pool.usable).toBe(1);
  });
});
