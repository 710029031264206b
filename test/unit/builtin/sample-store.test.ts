import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createSampleStore,
  overflowTags,
  type Sample,
  type SampledSecond,
  type SamplePoint,
  type SampleStore,
} from "../../../src/builtin/sample-store.js";
import { CallAbort } from "../../../src/core/call-abort.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createFakeClock } from "../../support/fake-clock.js";

const sample = (name: string, value: number, tags: Record<string, string> = {}): Sample => ({
  name,
  value,
  tags: new Map(Object.entries(tags)),
});

function allSeconds(store: SampleStore): SampledSecond[] {
  const seconds: SampledSecond[] = [];
  for (let from = 0; ; ) {
    const next = store.next(from);
    if (next === undefined) return seconds;
    seconds.push(next);
    from = next.second + 1;
  }
}

/** Expects the points of a metric in one second to hold these values together, each tag set once. */
function expectWhole(
  name: string,
  points: readonly SamplePoint[],
  values: readonly number[],
): void {
  const own = points.filter((point) => point.name === name);
  const sumOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  expect(new Set(own.map(({ tags }) => JSON.stringify([...tags]))).size).toBe(own.length);
  expect(own.length).toBeLessThanOrEqual(6);
  expect(sumOf(own.map(({ count }) => count))).toBe(values.length);
  expect(sumOf(own.map(({ sum }) => sum))).toBe(sumOf(values));
  expect(Math.min(...own.map(({ min }) => min))).toBe(Math.min(...values));
  expect(Math.max(...own.map(({ max }) => max))).toBe(Math.max(...values));
}

describe("createSampleStore", () => {
  it("takes the samples of a second together, by metric and tags in whatever order", () => {
    const clock = createFakeClock(5_000_200);
    const store = createSampleStore({ clock });
    store.record([sample("a", 3, { x: "1", y: "2" }), sample("a", -1, { y: "2", x: "1" })]);
    clock.advance(799);
    store.record([sample("a", 2), sample("a", 4, { x: "1", y: "2" })]);
    expect(allSeconds(store)).toEqual([
      {
        second: 5_000,
        points: [
          {
            name: "a",
            tags: new Map([
              ["x", "1"],
              ["y", "2"],
            ]),
            count: 3,
            sum: 6,
            min: -1,
            max: 4,
            last: 4,
          },
          { name: "a", tags: new Map(), count: 1, sum: 2, min: 2, max: 2, last: 2 },
        ],
      },
    ]);
    clock.advance(1);
    store.record([sample("a", 9)]);
    expect(allSeconds(store).map(({ second }) => second)).toEqual([5_000, 5_001]);
  });

  it("forgets seconds after their time, without being written to", () => {
    const clock = createFakeClock();
    const store = createSampleStore({ clock, seconds: 3 });
    store.record([sample("a", 1)]);
    clock.advance(2_000);
    expect(allSeconds(store)).toHaveLength(1);
    clock.advance(1_000);
    expect(allSeconds(store)).toEqual([]);
    expect(store.size).toBe(0);
  });

  it("folds what has too many tag sets into one point, and tells new ones apart again later", () => {
    const clock = createFakeClock();
    const store = createSampleStore({ clock, seconds: 3, maxTagSets: 2 });
    const flood = (): void =>
      store.record([1, 2, 3, 4].map((n) => sample("a", n, { user: String(n) })));
    flood();
    flood();
    const [second] = allSeconds(store);
    expect(second?.points.map(({ tags, count, sum }) => [[...tags], count, sum])).toEqual([
      [[["user", "1"]], 2, 2],
      [[["user", "2"]], 2, 4],
      [[["overflow", "true"]], 4, 14],
    ]);
    clock.advance(3_000);
    store.record([sample("a", 1, { user: "9" })]);
    expect(allSeconds(store)[0]?.points[0]?.tags).toEqual(new Map([["user", "9"]]));
  });

  it("makes room by forgetting the oldest seconds, never the one under way", () => {
    const clock = createFakeClock();
    const store = createSampleStore({ clock, maxPoints: 3 });
    store.record([sample("a", 1), sample("b", 1)]);
    clock.advance(1_000);
    store.record([sample("a", 2), sample("b", 2)]);
    expect(allSeconds(store).map(({ second }) => second)).toEqual([1_001]);
    store.record([
      sample("a", 1, { x: "1" }),
      sample("a", 1, { x: "2" }),
      sample("a", 1, { x: "3" }),
    ]);
    expect(allSeconds(store)[0]?.points).toHaveLength(4);
    expect(allSeconds(store)[0]?.points.at(-1)).toMatchObject({ tags: overflowTags, count: 2 });
  });

  it("keeps sums finite", () => {
    const store = createSampleStore({ clock: createFakeClock() });
    store.record([sample("a", Number.MAX_VALUE), sample("a", Number.MAX_VALUE)]);
    expect(store.next(0)?.points[0]?.sum).toBe(Number.MAX_VALUE);
  });

  it("wakes everybody at the end of the second with one timer, that stops when nobody waits", async () => {
    const clock = createFakeClock(7_000_400);
    const store = createSampleStore({ clock });
    const leaving = new CallAbort();
    const woken: number[] = [];
    const wait = (n: number, abort: CallAbort) => store.secondEnds(abort).then(() => woken.push(n));
    const waits = [wait(1, new CallAbort()), wait(2, leaving), wait(3, new CallAbort())];
    expect(clock.pending()).toEqual([{ dueMs: 7_001_000, background: true }]);
    leaving.abort(servingError("CANCELLED", "left"));
    await waits[1];
    await clock.settle(599);
    expect(woken).toEqual([2]);
    await clock.settle(1);
    expect(woken).toEqual([2, 1, 3]);
    expect(clock.pending()).toEqual([]);
    const last = new CallAbort();
    const alone = store.secondEnds(last);
    last.abort(servingError("CANCELLED", "left"));
    await alone;
    expect(clock.pending()).toEqual([]);
    await store.secondEnds(last);
    expect(clock.pending()).toEqual([]);
  });

  it("stays within its bounds, and loses nothing of the seconds that it holds", () => {
    const names = ["a", "b"];
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 1_500 }),
      samples: fc.array(
        fc.record({
          name: fc.constantFrom(...names),
          value: fc.integer({ min: -50, max: 50 }),
          tag: fc.integer({ min: 0, max: 7 }),
        }),
        { maxLength: 20 },
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = createFakeClock();
        const store = createSampleStore({ clock, seconds: 4, maxTagSets: 5, maxPoints: 12 });
        const given = new Map<string, number[]>();
        for (const { afterMs, samples } of steps) {
          clock.advance(afterMs);
          store.record(samples.map((s) => sample(s.name, s.value, { t: String(s.tag) })));
          for (const { name, value } of samples) {
            const key = `${store.currentSecond} ${name}`;
            given.set(key, [...(given.get(key) ?? []), value]);
          }
          expect(store.size).toBeLessThanOrEqual(12 + names.length);
        }
        const seconds = allSeconds(store);
        expect(seconds.reduce((sum, { points }) => sum + points.length, 0)).toBe(store.size);
        for (const { second, points } of seconds) {
          expect(second).toBeGreaterThan(store.currentSecond - 4);
          for (const name of names) expectWhole(name, points, given.get(`${second} ${name}`) ?? []);
        }
      }),
    );
  });
});
