import { describe, expect, it } from "vitest";
import { answeredEnd, fakePool } from "../../../support/client-pool.js";

describe("idle connections", () => {
  it("are closed after idleTimeoutMs without an attempt, and opened by the next pick", () => {
    const { clock, connect, begin, to, pool, told, transports } = fakePool(
      { idleTimeoutMs: 10_000 },
      "1",
      "2",
    );
    connect("1", "2");
    clock.advance(6_000);
    connect("2");
    clock.advance(4_000);
    expect([to("1").state, to("2").state]).toEqual(["closed", "ready"]);
    expect(pool.counts()).toMatchObject({ usable: 2, connected: 1, unreachable: 0 });
    clock.advance(6_000);
    expect(to("2").state).toBe("closed");
    expect([told(), clock.pending()]).toEqual([[], []]);
    begin("1");
    expect(transports.all).toHaveLength(3);
  });

  it("are not closed while an attempt is under way, however long", () => {
    const { clock, connect, begin, end, to } = fakePool({ idleTimeoutMs: 10_000 }, "1");
    connect("1");
    const long = begin("1");
    clock.advance(100_000);
    end(long, answeredEnd);
    expect(to("1").state).toBe("ready");
    clock.advance(9_999);
    expect(to("1").state).toBe("ready");
    clock.advance(10_000);
    expect(to("1").state).toBe("closed");
  });

  it("are kept by who says that it is not serving, or it could not say that it is", () => {
    const { clock, connect, healthOf, to, pool } = fakePool({ idleTimeoutMs: 10_000 }, "1", "2");
    connect("1", "2");
    healthOf("1").say(false);
    clock.advance(60_000);
    expect([to("1").state, to("2").state]).toEqual(["ready", "closed"]);
    healthOf("1").say(true);
    expect(pool.usable).toBe(2);
    clock.advance(20_000);
    expect(to("1").state).toBe("closed");
  });

  it("are kept for ever when that is wanted, without a timer", () => {
    const { clock, connect } = fakePool({ idleTimeoutMs: Number.POSITIVE_INFINITY }, "1");
    connect("1");
    clock.advance(250);
    expect(clock.pending()).toEqual([]);
  });

  it("are closed a few at a time", () => {
    const ports = Array.from({ length: 100 }, (_, index) => String(index + 1));
    const { clock, connect, pool } = fakePool({ idleTimeoutMs: 10_000 }, ...ports);
    connect(...ports);
    clock.advance(10_000);
    expect(pool.counts().connected).toBeGreaterThan(50);
    clock.advance(1_000);
    expect(pool.counts().connected).toBe(0);
    expect(clock.pending()).toEqual([]);
  });
});
