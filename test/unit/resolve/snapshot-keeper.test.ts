import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../src/core/instance.js";
import { silentLogger } from "../../../src/core/ports.js";
import { servingError } from "../../../src/core/serving-error.js";
import { createSnapshotKeeper, type SnapshotKeeper } from "../../../src/resolve/snapshot-keeper.js";
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
