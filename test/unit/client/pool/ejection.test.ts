import { describe, expect, it } from "vitest";
import { loggedEjection } from "../../../support/ejection-log.js";

const INFINITE = Number.POSITIVE_INFINITY;

describe("Ejection by failures in a row", () => {
  it("takes an instance out at the fifth, for ten seconds", () => {
    const { end, told, clock, ejection } = loggedEjection("ab");
    end("a", "bad", 4);
    expect(told).toEqual([]);
    end("a", "bad");
    expect(told).toEqual(["a out failures 10000"]);
    expect(ejection.out).toBe(1);
    clock.advance(9_999);
    expect(told).toHaveLength(1);
    clock.advance(1);
    expect(told.at(-1)).toBe("a back");
    expect(clock.pending()).toEqual([]);
  });

  it("starts over at a good answer, and not at what says nothing", () => {
    const { end, told } = loggedEjection("ab");
    end("a", "bad", 4);
    end("a", "good");
    end("a", "bad", 4);
    expect(told).toEqual([]);
    end("a", "none", 3);
    end("a", "given-up", 3);
    end("a", "bad");
    expect(told).toEqual(["a out failures 10000"]);
  });

  it("blames a missed deadline on the instance only when it had as long as usual", () => {
    const { end, told } = loggedEjection("ab");
    end("a", "good", 10, 100);
    end("a", "late", 50, 20);
    expect(told).toEqual([]);
    end("b", "good", 100, 100);
    // The 13th is the first with which it is in time less than half as often as both together.
    end("a", "late", 16, 120);
    expect(told).toEqual([]);
    end("a", "late", 1, 120);
    expect(told).toEqual(["a out failures 10000"]);
  });

  it("blames nobody for missed deadlines when all miss them", () => {
    const { end, told } = loggedEjection("abcd");
    for (let round = 0; round < 100; round++) {
      for (const key of "abcd") {
        end(key, "late", 7, 500);
        if (round < 50) end(key, "good", 1, 400);
      }
    }
    expect(told).toEqual([]);
  });

  it("blames it on one that has never answered while another has", () => {
    const { end, told } = loggedEjection("ab");
    end("b", "good", 20);
    end("a", "late", 8, 20);
    expect(told).toEqual([]);
    // From the fifth on four of its own should have been in time.
    end("a", "late", 1, 20);
    expect(told).toEqual(["a out failures 10000"]);
  });

  it("can be off", () => {
    const { end, told } = loggedEjection("ab", {
      consecutiveFailures: INFINITE,
      failureRatio: INFINITE,
    });
    end("a", "bad", 1_000);
    expect(told).toEqual([]);
  });

  it("changes nothing by attempts on one that is out", () => {
    const { end, told, clock } = loggedEjection("ab");
    end("a", "bad", 50);
    end("a", "good", 50);
    expect(told).toEqual(["a out failures 10000"]);
    expect(clock.pending()).toHaveLength(1);
  });
});

describe("Ejection by the ratio of failures", () => {
  it("takes an instance out when half of 20 attempts have failed", () => {
    const { end, told } = loggedEjection("ab");
    for (let pair = 0; pair < 9; pair++) {
      end("a", "bad");
      end("a", "good");
    }
    end("a", "good");
    expect(told).toEqual([]);
    end("a", "bad");
    expect(told).toEqual(["a out failure-ratio 10000"]);
  });

  it("forgets what is older than ten seconds", () => {
    const { end, told, clock } = loggedEjection("ab", { consecutiveFailures: INFINITE });
    end("a", "bad", 19);
    clock.advance(10_000);
    end("a", "good", 10);
    end("a", "bad", 9);
    expect(told).toEqual([]);
    clock.advance(5_000);
    end("a", "bad");
    expect(told).toEqual(["a out failure-ratio 10000"]);
  });

  it("forgets all of a window after a long rest", () => {
    const { end, told, clock } = loggedEjection("ab", { consecutiveFailures: INFINITE });
    for (let second = 0; second < 30; second++) {
      end("a", "good");
      clock.advance(1_000);
    }
    clock.advance(3_600_000);
    end("a", "bad", 19);
    expect(told).toEqual([]);
    end("a", "bad");
    expect(told).toEqual(["a out failure-ratio 10000"]);
  });
});

describe("Ejection by slow answers", () => {
  const slow = { slowerThan: 3 };

  /** A second of answers of each, by which the median is found. */
  function warm(
    log: ReturnType<typeof loggedEjection>,
    durations: Readonly<Record<string, number>>,
  ) {
    for (const [key, ms] of Object.entries(durations)) log.end(key, "good", 20, ms);
    log.clock.advance(1_000);
  }

  it("takes the one out that is slower than three times the median", () => {
    const log = loggedEjection("abcd", slow);
    warm(log, { a: 10, b: 12, c: 14, d: 50 });
    for (const key of "abc") log.end(key, "good", 1, 12);
    expect(log.told).toEqual([]);
    log.end("d", "good", 1, 50);
    expect(log.told).toEqual(["d out latency 10000"]);
  });

  it("leaves one that is slow but not that slow", () => {
    const log = loggedEjection("abcd", slow);
    warm(log, { a: 10, b: 12, c: 14, d: 30 });
    log.end("d", "good", 50, 30);
    expect(log.told).toEqual([]);
  });

  it("is not moved by one answer that takes long", () => {
    const log = loggedEjection("abcd", slow);
    warm(log, { a: 10, b: 10, c: 10, d: 10 });
    log.end("d", "good", 1, 5_000);
    expect(log.told).toEqual([]);
  });

  it("does not let an instance look fast by failing fast", () => {
    const log = loggedEjection("abcd", {
      ...slow,
      consecutiveFailures: INFINITE,
      failureRatio: INFINITE,
    });
    warm(log, { a: 10, b: 10, c: 10, d: 50 });
    log.end("d", "bad", 500, 1);
    log.end("d", "good", 1, 50);
    expect(log.told).toEqual(["d out latency 10000"]);
  });

  it("counts what was given up as at least so long, and never as fast", () => {
    const log = loggedEjection("abcd", slow);
    warm(log, { a: 10, b: 10, c: 10, d: 10 });
    log.end("d", "given-up", 100, 2);
    log.end("a", "given-up", 60, 100);
    expect(log.told).toEqual(["a out latency 10000"]);
  });

  it.each([
    ["only two can be compared", "ab", { a: 10, b: 500 }],
    ["too few answers are known of it", "abcde", { a: 10, b: 10, c: 10 }],
  ])("judges nobody when %s", (_when, keys, durations) => {
    const log = loggedEjection(keys, slow);
    warm(log, durations);
    const last = keys.at(-1) ?? "";
    log.end(last, "good", 9, 500);
    expect(log.told).toEqual([]);
  });

  it("does not compare what takes as long as it is told to, or is over at once", () => {
    const log = loggedEjection("abcd", slow);
    warm(log, { a: 0, b: 0.1, c: 0.2, d: 0.9 });
    log.end("d", "good", 5, 0.9);
    log.end("d", "good", 100, Number.NaN);
    expect(log.told).toEqual([]);
  });

  it("judges anew after the return", () => {
    const log = loggedEjection("abcd", slow);
    warm(log, { a: 10, b: 10, c: 10, d: 50 });
    log.end("d", "good", 1, 50);
    log.clock.advance(10_000);
    log.end("d", "good", 9, 50);
    expect(log.told.at(-1)).toBe("d back");
    for (const key of "abc") log.end(key, "good", 1, 10);
    log.end("d", "good", 1, 50);
    expect(log.told.at(-1)).toBe("d out latency 20000");
  });
});

describe("Ejection by silence", () => {
  it("lasts until something is heard, without a timer", () => {
    const { ejection, told, clock } = loggedEjection("ab");
    expect(ejection.silent("a")).toBe(true);
    expect(ejection.silent("a")).toBe(true);
    expect(told).toEqual(["a out silence Infinity"]);
    expect(clock.pending()).toEqual([]);
    ejection.heard("b");
    ejection.heard("a");
    ejection.heard("a");
    expect(told).toEqual(["a out silence Infinity", "a back"]);
  });

  it("is refused when too many are out", () => {
    const { ejection, told } = loggedEjection("abc");
    expect(ejection.silent("a")).toBe(true);
    expect(ejection.silent("b")).toBe(false);
    ejection.heard("a");
    expect(ejection.silent("b")).toBe(true);
    expect(told).toEqual(["a out silence Infinity", "a back", "b out silence Infinity"]);
  });

  it.each([
    ["heard before its time is over", 5_000, 10_000],
    ["heard after that", 15_000, 15_000],
  ])("keeps one out that is out for a time already and %s", (_when, heardMs, backMs) => {
    const often = { consecutiveFailures: Number.POSITIVE_INFINITY };
    const { ejection, end, told, clock } = loggedEjection("ab", often);
    end("a", "bad", 20);
    expect(ejection.silent("a")).toBe(true);
    clock.advance(heardMs);
    expect(told).toHaveLength(1);
    ejection.heard("a");
    clock.advance(backMs - heardMs);
    expect(told).toEqual(["a out failure-ratio 10000", "a back"]);
  });

  it.each([1_000, 60_000])(
    "explains failures in a row: back when it is heard, here after %d ms",
    (ms) => {
      const { ejection, end, told, clock } = loggedEjection("ab");
      end("a", "bad", 5);
      expect(ejection.silent("a")).toBe(true);
      expect(clock.pending()).toEqual([]);
      clock.advance(ms);
      expect(ejection.out).toBe(1);
      ejection.heard("a");
      expect(told).toEqual(["a out failures 10000", "a back"]);
      // On probation.
      end("a", "bad");
      expect(told).toHaveLength(3);
    },
  );
});

describe("Ejection: coming back", () => {
  it("takes the instance out again at the first failure, for longer each time, up to the limit", () => {
    const { end, told, clock } = loggedEjection("ab", { baseMs: 1_000, maxMs: 2_500 });
    end("a", "bad", 5);
    for (const ms of [1_000, 2_000, 2_500]) {
      clock.advance(ms);
      expect(told.at(-1)).toBe("a back");
      end("a", "bad");
    }
    expect(told.filter((line) => line !== "a back")).toEqual([
      "a out failures 1000",
      "a out failures 2000",
      "a out failures 2500",
      "a out failures 2500",
    ]);
  });

  it("ends probation by a good answer", () => {
    const { end, told, clock } = loggedEjection("ab");
    end("a", "bad", 5);
    clock.advance(10_000);
    end("a", "none");
    end("a", "good");
    end("a", "bad", 4);
    expect(told.at(-1)).toBe("a back");
  });

  it("forgets one time out for each stretch in rotation", () => {
    const { end, told, clock } = loggedEjection("ab", { baseMs: 1_000 });
    end("a", "bad", 5);
    for (const ms of [1_000, 2_000, 3_000]) {
      clock.advance(ms);
      end("a", "bad");
    }
    expect(told.at(-1)).toBe("a out failures 4000");
    clock.advance(4_000 + 2_000);
    end("a", "bad");
    expect(told.at(-1)).toBe("a out failures 3000");
    clock.advance(3_000 + 60_000);
    end("a", "bad");
    expect(told.at(-1)).toBe("a out failures 1000");
  });

  it.each([
    [0, 9_000],
    [0.999_999, 10_999],
  ])("draws the time out within a tenth either way (%d)", (drawn, expected) => {
    const { end, clock } = loggedEjection("ab", {}, () => drawn);
    end("a", "bad", 5);
    const [timer] = clock.pending();
    expect(Math.floor((timer?.dueMs ?? 0) - clock.now())).toBe(expected);
    expect(timer?.background).toBe(true);
  });
});

describe("Ejection: the floor", () => {
  // listed with a weight, part that may be out, how many go out when all fail
  it.each([
    [0, 0.5, 0],
    [1, 0.5, 0],
    [2, 0.5, 1],
    [3, 0.5, 1],
    [10, 0.5, 5],
    [10, 0.25, 2],
    [10, 0, 0],
  ])("of %d with a ratio of %d lets %d go", (count, maxRatio, expected) => {
    const keys = Array.from({ length: count }, (_, index) => `k${index}`);
    const { end, ejection } = loggedEjection(keys, { maxRatio });
    for (const key of keys) end(key, "bad", 100);
    expect(ejection.out).toBe(expected);
  });

  it("counts those that are in rotation and those that are out, and lets the longest back as others go", () => {
    const { end, ejection, told, facts } = loggedEjection("abcdef");
    for (const key of "abc") facts.add(key);
    for (const key of "def") end(key, "bad", 5);
    expect(told).toEqual(["d out failures 10000"]);
    facts.clear();
    for (const key of "ef") end(key, "bad", 5);
    expect(ejection.out).toBe(3);
    facts.add("a");
    ejection.recount();
    expect(told.slice(3)).toEqual(["d back"]);
    for (const key of "bcd") facts.add(key);
    ejection.recount();
    expect([ejection.out, told.slice(4)]).toEqual([1, ["e back"]]);
  });

  it("judges again who had to stay", () => {
    const { end, told, clock } = loggedEjection("ab");
    end("a", "bad", 5);
    end("b", "bad", 50);
    clock.advance(10_000);
    end("b", "bad");
    expect(told).toEqual(["a out failures 10000", "a back", "b out failures 10000"]);
  });

  it("lets those back that are out the longest when there are fewer", () => {
    const { end, told, clock, listed, ejection } = loggedEjection("abcdef");
    end("a", "bad", 5);
    ejection.silent("b");
    end("c", "bad", 5);
    for (const key of "def") listed.delete(key);
    ejection.recount();
    expect(told.slice(3)).toEqual(["a back", "b back"]);
    expect(clock.pending()).toHaveLength(1);
    ejection.heard("b");
    expect(told).toHaveLength(5);
  });

  it("forgets who leaves, without a word, and learns nothing of who is not listed", () => {
    const { end, told, clock, listed, ejection, out } = loggedEjection("abcd");
    end("a", "bad", 5);
    ejection.silent("b");
    for (const key of "ab") {
      listed.delete(key);
      out.delete(key);
      ejection.forget(key);
    }
    expect(clock.pending()).toEqual([]);
    expect(ejection.out).toBe(0);
    end("a", "bad", 50);
    expect(ejection.silent("b")).toBe(false);
    listed.add("a");
    end("a", "bad", 4);
    expect(told).toHaveLength(2);
  });

  it("leaves no timer when it is closed", () => {
    const { end, clock, ejection } = loggedEjection("ab");
    end("a", "bad", 5);
    ejection.close();
    expect(clock.pending()).toEqual([]);
  });
});
