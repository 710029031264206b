import { describe, expect, it } from "vitest";
import { answeredEnd, brokenEnd, fakePool, lateEnd } from "../../../support/client-pool.js";

const often = { consecutiveFailures: 3, failureRatio: 1, slowerThan: Number.POSITIVE_INFINITY };
const ejection = { ...often, baseMs: 10_000, maxMs: 300_000, maxRatio: 0.5 };

function connected(...ports: readonly string[]) {
  const made = fakePool({ ejection }, ...ports);
  made.connect(...ports);
  const fail = (port: string): void => {
    for (let n = 0; n < 3; n++) made.attempt(port, brokenEnd);
  };
  return { ...made, fail };
}

describe("standing: what takes an instance out of rotation", () => {
  it("is that it says that it is not serving, until it says otherwise", () => {
    const { healthOf, picked, told, clock, pool } = connected("1", "2");
    healthOf("1").say(false);
    expect(picked()).toEqual(["2"]);
    expect(pool.counts()).toMatchObject({ usable: 1, connected: 2, notServing: 1 });
    clock.advance(1_500);
    healthOf("1").say(false);
    healthOf("1").say(true);
    expect(picked()).toEqual(["1", "2"]);
    clock.advance(3_000);
    expect(told()).toEqual([
      'warn 1: instance says that it is not serving {"reason":"not-serving"}',
      'info 1: instance says that it is serving again {"reason":"not-serving","afterMs":1500}',
    ]);
    healthOf("1").say(false);
    healthOf("1").say(undefined);
    expect(pool.counts()).toMatchObject({ usable: 2, notServing: 0 });
  });

  it("may take all of them out when they say so themselves", () => {
    const { healthOf, picked, pool, update } = connected("1", "2");
    update("1", "2", "3=0");
    for (const port of ["1", "2"]) healthOf(port).say(false);
    expect(picked()).toEqual(["nobody"]);
    expect(pool.whyNone()).toEqual({
      reason: "NOT_READY",
      text: "2 say that they are not serving",
    });
  });

  it("is not asked for where that is switched off", () => {
    const made = fakePool({ healthCheck: false }, "1");
    made.connect("1");
    expect(made.healthOf("1").watches).toBe(0);
  });

  it("forgets a statement with the connection that it came on", () => {
    const { healthOf, to, picked, clock, told } = connected("1", "2");
    clock.advance(5_000);
    healthOf("1").say(false);
    to("1").become("idle");
    expect(healthOf("1").watches).toBe(0);
    expect(picked()).toEqual(["2"]);
    to("1").become("ready");
    expect(picked()).toEqual(["1", "2"]);
    expect(healthOf("1").watches).toBe(1);
    clock.advance(3_000);
    expect(told().map((line) => line.split(" {")[0])).toEqual([
      "warn 1: instance says that it is not serving",
      "warn 1: instance cannot be reached",
      "info 1: instance reached again",
    ]);
  });

  it("is failures, for a time, and told once each way", () => {
    const { fail, picked, told, clock, ejected, pool } = connected("1", "2");
    fail("1");
    expect(picked()).toEqual(["2"]);
    expect([ejected, pool.counts().ejected]).toEqual([["failures"], 1]);
    clock.advance(12_000);
    expect(picked()).toEqual(["1", "2"]);
    clock.advance(3_000);
    const [out, back, ...more] = told();
    expect(out).toMatch(
      /^warn 1: instance taken out of rotation .*"cause":"failures","forMs":\d+}$/,
    );
    expect(back).toMatch(/^info 1: instance back in rotation {"reason":"ejected","afterMs":\d+}$/);
    expect(more).toEqual([]);
  });

  it("needs every reason to be gone", () => {
    const { fail, healthOf, picked, clock } = connected("1", "2");
    fail("1");
    healthOf("1").say(false);
    clock.advance(12_000);
    expect(picked()).toEqual(["2"]);
    healthOf("1").say(true);
    expect(picked()).toEqual(["1", "2"]);
  });

  it("keeps one out that comes back while it cannot be reached", () => {
    const { fail, to, picked, clock } = connected("1", "2");
    clock.advance(2_000);
    fail("1");
    to("1").become("idle");
    clock.advance(12_000);
    expect(picked()).toEqual(["2"]);
    to("1").become("ready");
    expect(picked()).toEqual(["1", "2"]);
  });

  it("forgets the ejection of one that leaves, or has no weight for a while", () => {
    for (const without of [["2"], ["1=0", "2"]]) {
      const { fail, update, picked, clock, pool } = connected("1", "2");
      fail("1");
      update(...without);
      expect(pool.counts()).toMatchObject({ ejected: 0, weighted: 1 });
      expect(picked()).toEqual(["2"]);
      update("1", "2");
      pool.close();
      expect(clock.pending()).toEqual([]);
    }
  });

  it("lets those back for whom there are too few others left", () => {
    const { fail, update, picked } = connected("1", "2", "3", "4");
    fail("1");
    fail("2");
    update("1", "2");
    expect(picked()).toHaveLength(1);
    update("1");
    expect(picked()).toEqual(["1"]);
  });

  it("is nothing that was known of an earlier life on the same address", () => {
    const { to, update, picked, pool, begin, end } = connected("1", "2", "3");
    const old = [begin("3"), begin("3"), begin("3")];
    update("1", "2");
    update("1", "2", "3");
    for (const member of old) end(member, brokenEnd);
    expect(picked()).toEqual(["1", "2"]);
    to("3").become("ready");
    expect(picked()).toEqual(["1", "2", "3"]);
    expect(pool.counts().ejected).toBe(0);
  });

  it("holds on for one that is ejected while it proves itself anew", () => {
    const { to, update, picked, begin, end, clock } = connected("1", "2", "3");
    const old = [begin("3"), begin("3"), begin("3")];
    clock.advance(2_000);
    to("3").become("idle");
    for (const member of old) end(member, brokenEnd);
    to("3").become("ready");
    expect(picked()).toEqual(["1", "2"]);
    update("1=50", "2", "3");
    expect(picked()).toEqual(["1", "2"]);
    clock.advance(12_000);
    expect(picked()).toEqual(["1", "2", "3"]);
  });

  it("says how many of each kind there are when nobody is left", () => {
    const { to, healthOf, clock, pool, picked } = connected("1", "2", "3");
    clock.advance(2_000);
    healthOf("1").say(false);
    for (const port of ["2", "3"]) to(port).become("failed");
    expect(picked()).toEqual(["nobody"]);
    expect(pool.whyNone()).toEqual({
      reason: "CONNECT_FAILED",
      text: "2 cannot be reached, 1 says that it is not serving",
    });
  });

  it("is failures only of half of those that are left, however many are listed", () => {
    const ports = ["1", "2", "3", "4", "5", "6"];
    const { to, fail, picked, clock } = connected(...ports);
    clock.advance(2_000);
    for (const port of ["1", "2", "3"]) to(port).become("failed");
    for (const port of ["4", "5", "6"]) fail(port);
    expect(picked()).toEqual(["5", "6"]);
  });

  it("is failures no longer where others go that cannot be reached or say so themselves", () => {
    const { to, fail, healthOf, picked, clock } = connected("1", "2", "3", "4");
    clock.advance(2_000);
    fail("1");
    fail("2");
    expect(picked()).toEqual(["3", "4"]);
    to("3").become("idle");
    expect(picked()).toEqual(["1", "4"]);
    healthOf("4").say(false);
    expect(picked()).toEqual(["1"]);
    to("1").become("idle");
    expect(picked()).toEqual(["2"]);
  });

  it("is told once more when all say that they are not serving, and when that is over", () => {
    const { healthOf, told, update, clock } = connected("1", "2");
    update("1", "2", "3=0");
    clock.advance(2_000);
    const all = (): string[] =>
      told().filter((line) => line.startsWith("error") || /called again/.test(line));
    healthOf("1").say(false);
    expect(all()).toEqual([]);
    healthOf("2").say(false);
    expect(all()).toEqual([
      "error undefined: all instances say that they are not serving: calls wait until one does {}",
    ]);
    update("1", "2");
    expect(all()).toEqual([]);
    healthOf("1").say(true);
    healthOf("2").say(true);
    expect(all()).toEqual(["info undefined: instances can be called again {}"]);
  });

  it("takes nobody out for a deadline that the caller made too short", () => {
    const { attempt, picked } = connected("1", "2");
    for (let n = 0; n < 2; n++) attempt("1", lateEnd);
    expect(picked()).toEqual(["1", "2"]);
  });
});

describe("weights", () => {
  it("start low for who comes while others serve, not for the first list", () => {
    const made = fakePool({ slowStartMs: 10_000 }, "1", "2");
    made.connect("1", "2");
    const share = (port: string): number => {
      const picks = Array.from({ length: 100 }, () => {
        const member = made.pool.pick();
        if (member !== undefined) made.end(member, answeredEnd);
        return member?.key;
      });
      return picks.filter((key) => key === `127.0.0.1:${port}`).length;
    };
    expect(share("1")).toBe(50);
    made.update("1", "2", "3");
    made.to("3").become("ready");
    expect(share("3")).toBeLessThan(10);
    made.clock.advance(20_000);
    expect(share("3")).toBeGreaterThan(30);
  });

  it("are those of a subset, which follows the list", () => {
    const ports = Array.from({ length: 40 }, (_, index) => String(index + 1));
    const made = fakePool({ subsetSize: 8 }, ...ports);
    const chosen = made.picked(400);
    expect([chosen.length, made.pool.counts().listed]).toEqual([8, 8]);
    made.update(...ports.filter((port) => port !== chosen[0]));
    const others = made.picked(400);
    expect(others.filter((port) => !chosen.includes(port))).toHaveLength(1);
    made.update(...others.slice(0, 3));
    expect(made.picked()).toEqual(others.slice(0, 3));
  });
});
