import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/core/seeded-random.js";
import { type LoggedEjection, loggedEjection } from "../../support/ejection-log.js";
import { fuzz } from "../balance/fuzz-settings.js";

const KEYS = "abcdefgh";

const key = fc.constantFrom(...KEYS);

const events = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("ended" as const),
      key,
      sign: fc.constantFrom("good", "bad", "late", "given-up", "none"),
      times: fc.integer({ min: 1, max: 40 }),
      durationMs: fc.constantFrom(0, 1, 20, 400, Number.NaN),
    }),
    fc.record({ kind: fc.constant("silent" as const), key }),
    fc.record({ kind: fc.constant("heard" as const), key }),
    fc.record({ kind: fc.constant("facts" as const), keys: fc.subarray([...KEYS]) }),
    fc.record({ kind: fc.constant("listed" as const), keys: fc.subarray([...KEYS]) }),
    fc.record({ kind: fc.constant("passed" as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  ),
  { maxLength: 120 },
);

const settings = fc.record({
  consecutiveFailures: fc.constantFrom(1, 5, Number.POSITIVE_INFINITY),
  failureRatio: fc.constantFrom(0.1, 0.5, Number.POSITIVE_INFINITY),
  slowerThan: fc.constantFrom(1.5, 3, Number.POSITIVE_INFINITY),
  baseMs: fc.constantFrom(1, 1_000, 10_000),
  maxMs: fc.constantFrom(10_000, 300_000),
  maxRatio: fc.constantFrom(0, 0.2, 0.5),
});

type Event = typeof events extends fc.Arbitrary<(infer E)[]> ? E : never;

/** An ejection to which things happen, and who of it should be out by silence. */
function happeningTo(log: LoggedEjection) {
  const { ejection, listed, facts, clock, out } = log;
  const mute = new Set<string>();
  function list(keys: readonly string[]): void {
    const gone = [...listed].filter((key) => !keys.includes(key));
    for (const key of gone) {
      for (const set of [listed, out, mute]) set.delete(key);
      ejection.forget(key);
    }
    for (const key of keys) listed.add(key);
    ejection.recount();
  }
  function happen(event: Event): void {
    switch (event.kind) {
      case "ended":
        log.end(event.key, event.sign, event.times, event.durationMs);
        break;
      case "silent":
        if (ejection.silent(event.key)) mute.add(event.key);
        break;
      case "heard":
        ejection.heard(event.key);
        mute.delete(event.key);
        break;
      case "facts":
        facts.clear();
        for (const key of event.keys) facts.add(key);
        ejection.recount();
        break;
      case "passed":
        clock.advance(event.ms);
        break;
      case "listed":
        list(event.keys);
    }
  }
  return { happen, mute };
}

describe("Ejection", () => {
  it("never has more out than may be, lets everybody back, and leaves no timer", () => {
    const property = fc.property(fc.integer(), settings, events, (seed, set, happening) => {
      const log = loggedEjection(KEYS, set, seededRandom(seed));
      const { ejection, listed, facts, clock, out } = log;
      const { happen, mute } = happeningTo(log);
      for (const event of happening) {
        happen(event);
        expect(ejection.out).toBe(out.size);
        const left = [...listed].filter((key) => !out.has(key) && !facts.has(key)).length;
        expect(out.size).toBeLessThanOrEqual(Math.floor(set.maxRatio * (left + out.size)));
        expect(left > 0 || out.size === 0).toBe(true);
        // Every timer is of somebody who is out.
        expect(clock.pending().length).toBeLessThanOrEqual(out.size);
      }
      clock.advance(set.maxMs);
      expect([...out].every((key) => mute.has(key))).toBe(true);
      for (const key of mute) ejection.heard(key);
      expect(out.size).toBe(0);
      expect(clock.pending()).toEqual([]);
    });
    fc.assert(property, fuzz(400));
  });
});
