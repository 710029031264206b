import { describe, expect, it } from "vitest";
import { answeredEnd, fakePool, lateEnd } from "../../../support/client-pool.js";
import { createFakeClock } from "../../../support/fake-clock.js";

function connected(...ports: readonly string[]) {
  const made = fakePool({ idleTimeoutMs: Number.POSITIVE_INFINITY }, ...ports);
  made.connect(...ports);
  made.clock.advance(5_000);
  return made;
}

describe("silence", () => {
  it("has no timer while nothing is under way", () => {
    const { clock, attempt } = connected("1", "2");
    expect(clock.pending()).toEqual([]);
    attempt("1", answeredEnd);
    expect(clock.pending()).toMatchObject([{ background: true }]);
    clock.advance(250);
    expect(clock.pending()).toEqual([]);
  });

  it("takes out an instance that gives no sign of life, within 1,750 ms, and asks on until it does", () => {
    const { clock, begin, end, healthOf, picked, ejected, told } = connected("1", "2");
    const hung = begin("1");
    clock.advance(750);
    const [ping] = healthOf("1").pings;
    expect(ping?.timeoutMs).toBe(750);
    clock.advance(750);
    ping?.answer(false);
    expect(picked()).toEqual(["2"]);
    expect(ejected).toEqual(["silence"]);
    clock.advance(1_000);
    expect(healthOf("1").pinged).toBe(2);
    healthOf("1").answerAll(false);
    clock.advance(1_000);
    expect(healthOf("1").pinged).toBe(3);
    healthOf("1").answerAll(true);
    expect(picked()).toEqual(["1", "2"]);
    clock.advance(3_000);
    expect(told()).toEqual([
      'warn 1: instance taken out of rotation {"reason":"ejected","cause":"silence"}',
      'info 1: instance back in rotation {"reason":"ejected","afterMs":2000}',
    ]);
    end(hung, answeredEnd);
    clock.advance(500);
    expect(clock.pending()).toEqual([]);
  });

  it("notices also when all attempts were given up before", () => {
    const { clock, attempt, healthOf, picked } = connected("1", "2");
    attempt("1", lateEnd);
    clock.advance(1_000);
    healthOf("1").answerAll(false);
    expect(picked()).toEqual(["2"]);
  });

  it("is seen within 1,750 ms of a short call's last sign of life, whenever looks come", () => {
    for (let lagMs = 0; lagMs < 250; lagMs += 10) {
      const { clock, attempt, begin, healthOf, picked } = connected("1", "2");
      begin("2");
      clock.advance(lagMs);
      for (let n = 0; n < 5; n++) {
        attempt("1", answeredEnd, 100);
        clock.advance(100);
      }
      begin("1");
      healthOf("2").bytes++;
      clock.advance(1_000);
      expect(healthOf("1").pinged).toBe(1);
      clock.advance(750 - 250);
      healthOf("1").answerAll(false);
      expect(picked()).toEqual(["2"]);
    }
  });

  it("asks nobody of whom attempts end", () => {
    const { clock, attempt, healthOf } = connected("1");
    for (let n = 0; n < 20; n++) {
      attempt("1", answeredEnd);
      clock.advance(250);
    }
    expect(healthOf("1").pinged).toBe(0);
  });

  it("asks one that works for long after twice the time with each answer, until an attempt ends", () => {
    const { clock, begin, end, healthOf } = connected("1");
    const [first] = [begin("1"), begin("1")];
    const askedMs: number[] = [];
    const beganMs = clock.now();
    const pass = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 250) {
        clock.advance(250);
        if (healthOf("1").pings.length > 0) askedMs.push(clock.now() - beganMs);
        healthOf("1").answerAll(true);
      }
    };
    pass(12_000);
    expect(askedMs).toEqual([750, 2_250, 5_250, 11_250]);
    if (first !== undefined) end(first, answeredEnd);
    pass(1_000);
    expect(askedMs.slice(4)).toEqual([13_000]);
    pass(600_000);
    // A minute at most.
    const [before = 0, last = 0] = askedMs.slice(-2);
    expect(last - before).toBe(60_000);
  });

  it("asks one whose answers take long as a rule after twice as long", () => {
    const { clock, begin, end, attempt, healthOf } = connected("1");
    attempt("1", answeredEnd, 2_000);
    clock.advance(1_000);
    const pings = (ms: number): number => {
      const { pinged } = healthOf("1");
      const member = begin("1");
      clock.advance(ms);
      healthOf("1").answerAll(true);
      const asked = healthOf("1").pinged - pinged;
      end(member, lateEnd);
      for (; clock.pending().length > 0; clock.advance(250)) healthOf("1").answerAll(true);
      return asked;
    };
    expect([pings(3_750), pings(4_000)]).toEqual([0, 1]);
    // Shorter ones take the peak down, by 5 % each: 14 of them to half of it.
    for (let n = 0; n < 14; n++) attempt("1", answeredEnd, 10);
    clock.advance(250);
    expect(pings(2_000)).toBe(1);
  });

  it("does not take what was answered late after a silence for usual", () => {
    const { clock, begin, end, healthOf } = connected("1", "2");
    const hung = begin("1");
    clock.advance(1_000);
    healthOf("1").answerAll(false);
    clock.advance(60_000);
    end(hung, answeredEnd, 61_000);
    clock.advance(250);
    const { pinged } = healthOf("1");
    begin("1");
    clock.advance(1_000);
    expect(healthOf("1").pinged).toBe(pinged + 1);
  });

  it("takes bytes for a sign of life", () => {
    const { clock, begin, healthOf, picked } = connected("1", "2");
    begin("1");
    for (let n = 0; n < 20; n++) {
      clock.advance(500);
      healthOf("1").bytes += 100;
    }
    expect(healthOf("1").pinged).toBe(0);
    clock.advance(1_000);
    expect(healthOf("1").pings).toHaveLength(1);
    healthOf("1").bytes++;
    healthOf("1").answerAll(false);
    expect(picked()).toEqual(["1", "2"]);
    clock.advance(1_000);
    healthOf("1").answerAll(false);
    expect(picked()).toEqual(["2"]);
    healthOf("1").bytes++;
    clock.advance(250);
    expect(picked()).toEqual(["1", "2"]);
  });

  it("gives four times as long where the connection took long to come up", () => {
    const made = fakePool({}, "1", "2");
    const member = made.begin("1");
    made.clock.advance(400);
    made.to("1").become("ready");
    made.clock.advance(1_000);
    expect(made.healthOf("1").pings).toMatchObject([{ timeoutMs: 1_600 }]);
    made.end(member, answeredEnd);
    made.pool.close();
  });

  it("judges only when all that had arrived has been read", () => {
    const reads: (() => void)[] = [];
    const made = fakePool({ afterReads: (run) => reads.push(run) }, "1", "2");
    made.connect("1", "2");
    made.clock.advance(5_000);
    made.begin("1");
    made.clock.advance(750);
    made.healthOf("1").answerAll(false);
    made.healthOf("1").bytes++;
    for (const read of reads.splice(0)) read();
    expect(made.ejected).toEqual([]);
    made.clock.advance(750);
    made.healthOf("1").answerAll(false);
    expect(made.ejected).toEqual([]);
    for (const read of reads.splice(0)) read();
    expect(made.ejected).toEqual(["silence"]);
  });

  it("counts the end of an attempt as a sign of life", () => {
    const { clock, begin, end, healthOf, picked } = connected("1", "2");
    const hung = begin("1");
    clock.advance(1_000);
    end(hung, answeredEnd);
    healthOf("1").answerAll(false);
    expect(picked()).toEqual(["1", "2"]);
    begin("1");
    clock.advance(1_000);
    healthOf("1").answerAll(false);
    expect(picked()).toEqual(["2"]);
  });

  it("believes no question that came back late because this process was held up", () => {
    const { clock, begin, healthOf, pool } = connected("1", "2");
    begin("1");
    clock.advance(750);
    clock.advance(851);
    healthOf("1").answerAll(false);
    expect(pool.usable).toBe(2);
    clock.advance(250);
    healthOf("1").answerAll(false);
    expect(pool.usable).toBe(1);
  });

  it("believes no question that was under way when a look came late", () => {
    const clock = createFakeClock();
    let heldUpMs = 0;
    const held = { ...clock, now: () => clock.now() + heldUpMs };
    const made = fakePool({ clock: held }, "1", "2");
    made.connect("1", "2");
    clock.advance(5_000);
    made.begin("1");
    clock.advance(750);
    heldUpMs = 101;
    clock.advance(250);
    made.healthOf("1").answerAll(false);
    expect(made.ejected).toEqual([]);
    clock.advance(500);
    made.healthOf("1").answerAll(false);
    expect(made.ejected).toEqual(["silence"]);
  });

  it("never takes out the only one, nor more than half", () => {
    const alone = connected("1");
    alone.begin("1");
    alone.clock.advance(1_000);
    alone.healthOf("1").answerAll(false);
    expect(alone.picked()).toEqual(["1"]);
    const four = connected("1", "2", "3", "4");
    for (const port of ["1", "2", "3", "4"]) four.begin(port);
    for (let n = 0; n < 3; n++) {
      four.clock.advance(1_000);
      for (const port of ["1", "2", "3", "4"]) four.healthOf(port).answerAll(false);
      expect(four.picked()).toHaveLength(2);
    }
  });

  it("makes a connection anew that was silent for ten seconds, and asks on that before it is used", () => {
    const { clock, begin, healthOf, to, picked, transports } = connected("1", "2");
    begin("1");
    clock.advance(1_000);
    const old = to("1");
    for (let n = 0; n < 10; n++) {
      healthOf("1").answerAll(false);
      clock.advance(1_000);
    }
    expect(old.state).toBe("ready");
    healthOf("1").answerAll(false);
    expect(old.state).toBe("closed");
    clock.advance(240);
    expect(transports.all).toHaveLength(3);
    to("1").become("ready");
    expect(picked()).toEqual(["2"]);
    clock.advance(500);
    healthOf("1").answerAll(true);
    expect(picked()).toEqual(["1", "2"]);
  });

  it.each([
    ["the only one", {}, ["1"]],
    ["where nothing may be ejected", { ejection: undefined }, ["1", "2"]],
    ["more than may be out", {}, ["1", "2", "3"]],
  ])("makes none anew of %s: what is under way on it may be answered yet", (_of, policy, ports) => {
    const { clock, begin, healthOf, transports, connect } = fakePool(policy, ...ports);
    connect(...ports);
    for (const port of ports) begin(port);
    for (let n = 0; n < 15; n++) {
      clock.advance(1_000);
      for (const port of ports) healthOf(port).answerAll(false);
    }
    const closed = transports.all.filter(({ state }) => state === "closed");
    const anew = new Set(closed.map(({ instance }) => instance.key)).size;
    expect(anew).toBe(ports.length === 3 ? 1 : 0);
  });

  it("counts the ten seconds from when it is out", () => {
    const { clock, begin, healthOf, to, picked, ejected } = connected("1", "2");
    begin("2");
    clock.advance(250);
    begin("1");
    const pass = (looks: number): void => {
      for (let look = 0; look < looks; look++) {
        clock.advance(250);
        for (const port of ["2", "1"]) healthOf(port).answerAll(false);
      }
    };
    pass(60);
    expect([ejected.length, to("1").state, to("2").state]).toEqual([1, "ready", "connecting"]);
    to("2").become("ready");
    clock.advance(250);
    healthOf("2").answerAll(true);
    clock.advance(1_000);
    healthOf("1").answerAll(false);
    expect([picked(), ejected.length, to("1").state]).toEqual([["2"], 2, "ready"]);
  });

  it("counts one whose connection is made anew as out all the same", () => {
    const { clock, begin, healthOf, to, picked } = connected("1", "2", "3");
    begin("1");
    for (let n = 0; n < 12; n++) {
      clock.advance(1_000);
      healthOf("1").answerAll(false);
    }
    expect(to("1").state).toBe("connecting");
    begin("2");
    for (let n = 0; n < 3; n++) {
      clock.advance(1_000);
      healthOf("2").answerAll(false);
    }
    expect(picked()).toEqual(["2", "3"]);
  });

  it("leaves it to the tries to connect while there is no connection", () => {
    const { clock, begin, to, healthOf, pool } = connected("1", "2");
    begin("1");
    to("1").become("idle");
    clock.advance(2_000);
    expect(healthOf("1").pinged).toBe(0);
    to("1").become("ready");
    clock.advance(1_000);
    expect(healthOf("1").pinged).toBe(1);
    pool.close();
    expect(clock.pending()).toEqual([]);
  });

  it("forgets who leaves", () => {
    const { clock, begin, healthOf, update } = connected("1", "2");
    begin("1");
    clock.advance(1_000);
    update("2");
    healthOf("1").answerAll(false);
    expect(clock.pending()).toEqual([]);
  });
});
