import { describe, expect, it } from "vitest";
import type { Instance } from "../../src/core/instance.js";
import { instanceOf } from "../../src/core/instance.js";
import type { Source } from "../../src/resolve/source.js";
import { createFakeClock, type FakeClock } from "../support/fake-clock.js";
import { createSourceRecorder, type SourceRecorder } from "../support/source-recorder.js";

/** One source with what it learns from, in the hands of a test. */
export interface SourceDriver {
  readonly source: Source;
  /** From now on the engine lists these; an empty list is its authoritative "none". */
  list(instances: readonly Instance[]): void;
  /** From now on the engine fails; undefined when it cannot. */
  readonly fail?: (() => void) | undefined;
  /** From now on the engine says that it does not know the service; undefined when it cannot. */
  readonly forget?: (() => void) | undefined;
}

/** Makes a driver on a clock; before it is told what to list, its engine fails if it can. */
export type CreateSourceDriver = (clock: FakeClock) => SourceDriver;

/** Longest that a source may take to notice what its engine says or does. */
const NOTICE_MS = 45_000;

const a = instanceOf({ host: "10.0.0.1", port: 80 });
const b = instanceOf({ host: "10.0.0.2", port: 80, weight: 50 });

interface Fixture extends SourceDriver {
  readonly clock: FakeClock;
  readonly recorder: SourceRecorder;
  /** Starts the source and gives it the time to notice. */
  begin(): Promise<void>;
  notice(): Promise<void>;
}

/** Registers a test only where it applies, so that none shows up as skipped. */
function when(applies: boolean): (behaviour: string, run: () => Promise<void>) => void {
  return applies ? it : () => {};
}

/** Runs the contract of `Source` over one implementation. */
export function describeSource(name: string, createDriver: CreateSourceDriver): void {
  function fixture(): Fixture {
    const clock = createFakeClock();
    const driver = createDriver(clock);
    const recorder = createSourceRecorder();
    const notice = (): Promise<void> => clock.settle(NOTICE_MS);
    return {
      ...driver,
      clock,
      recorder,
      notice,
      begin() {
        driver.source.start(recorder);
        return notice();
      },
    };
  }

  const probe = fixture();
  const changing = probe.fail !== undefined;

  describe(`${name}: the contract of a source`, () => {
    it("does nothing before it is started", async () => {
      const { clock, recorder, source, list, notice } = fixture();
      list([a]);
      await notice();
      expect(recorder.snapshots).toEqual([]);
      expect(clock.pending()).toEqual([]);
      expect(source.name).not.toBe("");
      await source.close();
    });

    it("never calls its listener from inside start", async () => {
      const { recorder, source, list } = fixture();
      list([a]);
      source.start(recorder);
      expect([...recorder.snapshots, ...recorder.errors]).toEqual([]);
      await source.close();
    });

    it("gives a first snapshot that names service and source", async () => {
      const { clock, recorder, source, list, begin } = fixture();
      list([a, b]);
      await begin();
      expect(recorder.last).toMatchObject({
        version: 1,
        service: source.service,
        source: source.name,
        stale: false,
        rejected: 0,
      });
      expect(recorder.listed()).toEqual(["10.0.0.1:80=100", "10.0.0.2:80=50"]);
      expect(recorder.last?.confirmedAtMs).toBeLessThanOrEqual(clock.now());
      expect(Object.isFrozen(recorder.last)).toBe(true);
      await source.close();
    });

    it("says nothing when nothing changes, and keeps no process alive", async () => {
      const { clock, recorder, source, list, begin, notice } = fixture();
      list([a, b]);
      await begin();
      list([b, a]);
      await notice();
      expect(recorder.snapshots.length).toBe(1);
      expect(recorder.errors).toEqual([]);
      expect(clock.pending().every(({ background }) => background)).toBe(true);
      await source.close();
    });

    it("is silent after close, and closes twice", async () => {
      const { clock, recorder, source, list, begin, notice } = fixture();
      list([a]);
      await begin();
      await source.close();
      await source.close();
      list([b]);
      await notice();
      expect(recorder.snapshots.length).toBe(1);
      expect(clock.pending()).toEqual([]);
    });

    it("is silent when it is closed at once, or never started", async () => {
      const { clock, recorder, source, list, notice } = fixture();
      list([a]);
      source.start(recorder);
      await source.close();
      await notice();
      expect([...recorder.snapshots, ...recorder.errors]).toEqual([]);
      expect(clock.pending()).toEqual([]);
      await fixture().source.close();
    });

    when(changing)("follows changes with growing versions", async () => {
      const { recorder, source, list, begin, notice } = fixture();
      list([a]);
      await begin();
      list([a, b]);
      await notice();
      list([{ ...a, weight: 0 }, b]);
      await notice();
      expect(recorder.snapshots.map(({ version }) => version)).toEqual([1, 2, 3]);
      expect(recorder.listed()).toEqual(["10.0.0.1:80=0", "10.0.0.2:80=50"]);
      await source.close();
    });

    when(changing)("gives an error when there is no list, and a list when there is", async () => {
      const { recorder, source, list, begin, notice } = fixture();
      await begin();
      expect(recorder.snapshots).toEqual([]);
      expect(recorder.errors[0]).toMatchObject({ name: "DiscoveryError" });
      list([a]);
      await notice();
      expect(recorder.last).toMatchObject({ version: 1, stale: false });
      await source.close();
    });

    when(changing)("never empties its list because of an error", async () => {
      const { recorder, source, list, fail, begin, notice } = fixture();
      list([a]);
      await begin();
      fail?.();
      for (let i = 0; i < 5; i++) await notice();
      expect(recorder.last).toMatchObject({ version: 2, stale: true });
      expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
      expect(recorder.errors.length).toBeGreaterThan(0);
      list([a]);
      await notice();
      expect(recorder.last).toMatchObject({ version: 3, stale: false });
      await source.close();
    });

    when(changing)("empties its list when there is authoritatively nobody", async () => {
      const { recorder, source, list, begin, notice } = fixture();
      list([a]);
      await begin();
      list([]);
      await notice();
      expect(recorder.last).toMatchObject({ instances: [], stale: false });
      list([b]);
      await notice();
      expect(recorder.listed()).toEqual(["10.0.0.2:80=50"]);
      await source.close();
    });

    when(probe.forget !== undefined)("keeps its list when the service is forgotten", async () => {
      const { recorder, source, list, forget, begin, notice } = fixture();
      list([a]);
      await begin();
      forget?.();
      await notice();
      expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
      expect(recorder.last?.stale).toBe(true);
      await source.close();
    });

    when(probe.forget !== undefined)("says that a service is unknown", async () => {
      const { recorder, source, forget, begin } = fixture();
      forget?.();
      await begin();
      expect(recorder.errors.map(({ reason }) => reason)).toContain("SERVICE_UNKNOWN");
      expect(recorder.snapshots).toEqual([]);
      await source.close();
    });
  });
}
