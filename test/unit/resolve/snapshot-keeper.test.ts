import { describe, expect, it } from "vitest";
import { type Instance, instanceOf } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { servingError } from "../../../src/core/serving-error.js";
import type { SnapshotChange } from "../../../src/core/snapshot.js";
import {
  createSnapshotKeeper,
  type LearnedChange,
  type LearnedList,
  MAX_INSTANCES,
  type SnapshotKeeper,
} from "../../../src/resolve/snapshot-keeper.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { createSourceRecorder, type SourceRecorder } from "../../support/source-recorder.js";

const a = instanceOf({ host: "10.0.0.1", port: 1 });
const b = instanceOf({ host: "10.0.0.2", port: 1 });
const error = servingError("DIRECTORY_FAILED", "gone");

function fixture(): { clock: FakeClock; keeper: SnapshotKeeper; recorder: SourceRecorder } {
  const clock = createFakeClock();
  const recorder = createSourceRecorder();
  const keeper = createSnapshotKeeper({
    source: "test",
    service: "mnist",
    clock,
    logger: silentLogger,
    listener: recorder,
  });
  return { clock, keeper, recorder };
}

describe("createSnapshotKeeper", () => {
  it("counts versions from 1 and freezes what it gives out", () => {
    const { keeper, recorder } = fixture();
    const list = [a];
    keeper.accept({ instances: list, rejected: 2 });
    keeper.accept({ instances: [a, b], rejected: 2 });
    list.pop();
    expect(recorder.snapshots).toMatchObject([
      { version: 1, source: "test", service: "mnist", rejected: 2, instances: [a] },
      { version: 2, instances: [a, b] },
    ]);
    expect(Object.isFrozen(recorder.last) && Object.isFrozen(recorder.last?.instances)).toBe(true);
  });

  it.each([
    ["another order", [b, a], 1],
    ["new objects", [{ ...a }, { ...b }], 1],
    ["another weight", [a, { ...b, weight: 1 }], 2],
    ["another name", [a, { ...b, name: "b" }], 2],
    ["another app", [a, { ...b, app: "b" }], 2],
    ["one less", [a], 2],
    ["none", [], 2],
  ])("on %s tells of a change or not", (_, instances, told) => {
    const { keeper, recorder } = fixture();
    keeper.accept({ instances: [a, b], rejected: 0 });
    keeper.accept({ instances, rejected: 0 });
    expect(recorder.snapshots.length).toBe(told);
  });

  it("becomes stale once, with the time of the last confirmation, and fresh again", () => {
    const { clock, keeper, recorder } = fixture();
    keeper.accept({ instances: [a], rejected: 0 });
    clock.advance(1_000);
    keeper.confirm();
    const confirmedAtMs = clock.now();
    clock.advance(1_000);
    keeper.fail(error);
    keeper.fail(error);
    keeper.doubt();
    expect(recorder.snapshots.length).toBe(2);
    expect(recorder.last).toMatchObject({ version: 2, stale: true, confirmedAtMs, instances: [a] });
    expect(recorder.errors).toEqual([error, error]);
    keeper.confirm();
    expect(recorder.last).toMatchObject({ version: 3, stale: false, confirmedAtMs: clock.now() });
  });

  it("tells of every confirmation, with the same snapshot and a later time", () => {
    const { clock, keeper, recorder } = fixture();
    keeper.accept({ instances: [a], rejected: 0 });
    clock.advance(1_000);
    keeper.confirm();
    clock.advance(1_000);
    keeper.accept({ instances: [{ ...a }], rejected: 0 });
    const first = recorder.last;
    const nowMs = clock.now();
    expect(recorder.snapshots).toHaveLength(1);
    expect(recorder.confirmed).toEqual([
      { ...first, confirmedAtMs: nowMs - 1_000 },
      { ...first, confirmedAtMs: nowMs },
    ]);
    expect(recorder.confirmed.every(Object.isFrozen)).toBe(true);
  });

  it("does not call a doubted list confirmed", () => {
    const { clock, keeper, recorder } = fixture();
    keeper.accept({ instances: [a], rejected: 0 });
    const confirmedAtMs = clock.now();
    clock.advance(1_000);
    keeper.accept({ instances: [a], rejected: 0 }, { doubted: true });
    keeper.accept({ instances: [a], rejected: 0 }, { doubted: true });
    expect([recorder.last?.confirmedAtMs, recorder.confirmed]).toEqual([confirmedAtMs, []]);
  });

  it("makes no list of a failure or a confirmation", () => {
    const { keeper, recorder } = fixture();
    keeper.fail(error);
    keeper.doubt();
    keeper.confirm();
    expect(recorder.snapshots).toEqual([]);
    expect(recorder.errors).toEqual([error]);
  });

  it("says nothing after close", () => {
    const { keeper, recorder } = fixture();
    keeper.close();
    keeper.accept({ instances: [a], rejected: 0 });
    keeper.fail(error);
    expect([...recorder.snapshots, ...recorder.errors]).toEqual([]);
  });
});

describe("createSnapshotKeeper: changes", () => {
  const c = instanceOf({ host: "10.0.0.3", port: 1 });
  const heavyB = { ...b, weight: 7 };
  const listOf = (...instances: Instance[]): LearnedList => ({ instances, rejected: 0 });

  it.each<[string, Partial<LearnedChange>, Instance[], SnapshotChange | undefined]>([
    ["a new one", { changed: [c] }, [a, b, c], { changed: [c], removed: [] }],
    ["another weight", { changed: [heavyB] }, [a, heavyB], { changed: [heavyB], removed: [] }],
    ["who is gone", { removed: [a.key] }, [b], { changed: [], removed: [a.key] }],
    ["all gone", { removed: [a.key, b.key] }, [], { changed: [], removed: [a.key, b.key] }],
    [
      "another port",
      { changed: [{ ...a, key: c.key }], removed: [a.key] },
      [b, { ...a, key: c.key }],
      { changed: [{ ...a, key: c.key }], removed: [a.key] },
    ],
    ["who is not listed", { removed: [c.key] }, [a, b], undefined],
    ["what it was", { changed: [{ ...a }] }, [a, b], undefined],
    ["nothing", {}, [a, b], undefined],
    [
      "one both ways",
      { changed: [heavyB], removed: [b.key] },
      [a, heavyB],
      { changed: [heavyB], removed: [] },
    ],
    [
      "one twice",
      { changed: [{ ...b, weight: 1 }, heavyB] },
      [a, heavyB],
      { changed: [heavyB], removed: [] },
    ],
    ["there and back", { changed: [heavyB, b] }, [a, b], undefined],
    ["gone twice", { removed: [a.key, a.key] }, [b], { changed: [], removed: [a.key] }],
    ["an item left out", { rejected: 1 }, [a, b], { changed: [], removed: [] }],
  ])("takes %s", (_, learned, instances, told) => {
    const { keeper, recorder } = fixture();
    keeper.accept(listOf(a, b));
    keeper.change({ changed: [], removed: [], ...learned });
    const { version, rejected } = { version: 1, rejected: 0, ...recorder.last };
    expect(recorder.last?.instances).toEqual(instances);
    expect(recorder.changes).toEqual(told === undefined ? [undefined] : [undefined, told]);
    expect([version, rejected]).toEqual([told === undefined ? 1 : 2, learned.rejected ?? 0]);
    expect(recorder.confirmed.length).toBe(told === undefined ? 1 : 0);
    expect(keeper.instances).toBe(recorder.last?.instances);
  });

  it("finds out by itself what a whole list changes", () => {
    const { keeper, recorder } = fixture();
    keeper.accept(listOf(a, b));
    keeper.accept(listOf(heavyB, c));
    expect(recorder.changes[1]).toEqual({ changed: [heavyB, c], removed: [a.key] });
    expect(recorder.last?.instances).toEqual([heavyB, c]);
  });

  it("tells of an empty change when a list only becomes stale or fresh", () => {
    const { keeper, recorder } = fixture();
    keeper.accept(listOf(a, b));
    keeper.doubt();
    keeper.confirm();
    expect(recorder.changes.slice(1)).toEqual([
      { changed: [], removed: [] },
      { changed: [], removed: [] },
    ]);
    expect(new Set(recorder.snapshots.map(({ instances }) => instances)).size).toBe(1);
  });

  it("takes a doubted change, which confirms nothing", () => {
    const { clock, keeper, recorder } = fixture();
    keeper.accept(listOf(a));
    const confirmedAtMs = clock.now();
    clock.advance(1_000);
    keeper.change({ changed: [b], removed: [] }, { doubted: true });
    expect(recorder.last).toMatchObject({ stale: true, confirmedAtMs, instances: [a, b] });
    keeper.change({ changed: [], removed: [] }, { doubted: true });
    expect([recorder.snapshots.length, recorder.confirmed.length]).toEqual([2, 0]);
  });

  it("takes no more than 100,000 instances, and then no change until a whole list is there", () => {
    const { keeper, recorder } = fixture();
    const many = Array.from({ length: MAX_INSTANCES }, (_, port) => ({ ...a, key: String(port) }));
    keeper.accept({ instances: [...many, a], rejected: 0 });
    expect(recorder.errors).toMatchObject([{ reason: "UPSTREAM_MALFORMED" }]);
    expect(recorder.errors[0]?.message).toContain("test: 100001 instances are listed");
    keeper.accept({ instances: many, rejected: 0 });
    keeper.change({ changed: [{ ...a, key: "0", weight: 1 }], removed: [] });
    keeper.change({ changed: [a], removed: ["0"] });
    keeper.change({ changed: [b], removed: [] });
    keeper.change({ changed: [b], removed: [a.key] });
    keeper.confirm();
    expect([recorder.errors.length, recorder.snapshots.length]).toEqual([2, 4]);
    expect(recorder.last).toMatchObject({ version: 4, stale: true });
    expect([recorder.last?.instances.length, keeper.refused]).toEqual([MAX_INSTANCES, true]);
    keeper.accept({ instances: [b], rejected: 0 });
    expect(recorder.last).toMatchObject({ version: 5, stale: false, instances: [b] });
  });

  it("leaves lists that it gave out as they were", () => {
    const { keeper, recorder } = fixture();
    keeper.accept(listOf(a, b));
    keeper.change({ changed: [c], removed: [a.key] });
    expect(recorder.snapshots.map(({ instances }) => instances)).toEqual([
      [a, b],
      [b, c],
    ]);
    expect(Object.isFrozen(recorder.last?.instances)).toBe(true);
  });

  it("knows no change of no list", () => {
    const { keeper, recorder } = fixture();
    keeper.change({ changed: [a], removed: [] });
    expect([recorder.snapshots, keeper.instances]).toEqual([[], undefined]);
  });
});
