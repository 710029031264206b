import { describe, expect, it } from "vitest";
import type { Instance } from "../../src/core/instance.js";
import { instanceOf, MAX_WEIGHT } from "../../src/core/instance.js";
import type { Random } from "../../src/core/ports.js";
import { seededRandom } from "../../src/core/seeded-random.js";
import type { Source } from "../../src/resolve/source.js";
import { createFakeClock, type FakeClock } from "../support/fake-clock.js";
import { createSourceRecorder, type SourceRecorder } from "../support/source-recorder.js";

/** Longest that a source may take, in milliseconds of the fake clock. */
export interface SourceBounds {
  /** From its start to a list or an error, also where the engine does not answer. */
  readonly firstMs: number;
  /** From what the engine says, a change or a failure, until it is told. */
  readonly noticeMs: number;
  /** From the engine's "none" until it is told; `noticeMs` when left out. */
  readonly noneMs?: number;
  /** From the moment that an engine that has failed for long can be asked again until the list is a fresh one. */
  readonly backMs: number;
  /** From one confirmation to the next while the engine says the same. */
  readonly confirmMs: number;
  /** From the moment that a connection is half-open until the list is said to be stale. */
  readonly silenceMs?: number;
}

/** One source with what it learns from, in the hands of a test. */
export interface SourceDriver {
  readonly source: Source;
  readonly bounds: SourceBounds;
  /** From now on the engine lists these; an empty list is its authoritative "none". */
  list(instances: readonly Instance[]): void;
  /** What a weight becomes on its way through an engine that cannot carry it; as it is when left out. */
  readonly weightThere?: ((weight: number) => number) | undefined;
  /** From now on the engine fails; undefined when it cannot. */
  readonly fail?: (() => void) | undefined;
  /** From now on the engine says that it does not know the service; undefined when it cannot. */
  readonly forget?: (() => void) | undefined;
  /** From now on, until it lists again, the engine takes what comes and says nothing; undefined when it cannot. */
  readonly mute?: (() => void) | undefined;
  /** How often the engine was asked for anything; undefined where there is nobody to be spared. */
  readonly asked?: (() => number) | undefined;
  /** Connections and watches that are open; undefined where there are none. */
  readonly leftOpen?: (() => number) | undefined;
  /** Whether each list is told as it comes, because the engine itself joins what comes in bursts. */
  readonly joinedThere?: boolean | undefined;
}

/** Makes a driver on a clock; before it is told what to list, its engine fails if it can. */
export type CreateSourceDriver = (clock: FakeClock, random: Random) => SourceDriver;

/** From the start to the list of an engine that answers at once. */
const PROMPT_MS = 50;

const BURST = { lists: 20, apartMs: 2 };

/** The list before what is told together, and what came first or last of it. */
const MOST_OF_A_BURST = 2;

/** Most questions to an engine that fails, in a minute. */
const MAX_TRIES = 60;
const MINUTE_MS = 60_000;

const a = instanceOf({ host: "10.0.0.1", port: 80 });
const b = instanceOf({ host: "10.0.0.2", port: 80, weight: 50 });
const c = instanceOf({ host: "10.0.0.3", port: 80, weight: 50 });

interface Fixture extends SourceDriver {
  readonly clock: FakeClock;
  readonly recorder: SourceRecorder;
  /** Starts the source and gives it the time to notice. */
  begin(): Promise<void>;
  notice(): Promise<void>;
  /** Waits until what failed can be well again. */
  recover(): Promise<void>;
  /** When the list was confirmed last, by what was told. */
  confirmedAtMs(): number;
  /** Instances as the recorder lists them when they have come through the engine. */
  there(...instances: readonly Instance[]): readonly string[];
}

/** Registers a test only where it applies, so that none shows up as skipped. */
function when(applies: boolean): (behaviour: string, run: () => Promise<void>) => void {
  return applies ? it : () => {};
}

/** Runs the contract of `Source` over one implementation. */
export function describeSource(name: string, createDriver: CreateSourceDriver): void {
  function fixture(random: Random = () => 0.5): Fixture {
    const clock = createFakeClock();
    const driver = createDriver(clock, random);
    const { firstMs, noticeMs, backMs } = driver.bounds;
    const recorder = createSourceRecorder();
    const notice = (): Promise<void> => clock.settle(noticeMs);
    return {
      ...driver,
      clock,
      recorder,
      notice,
      recover: () => clock.settle(backMs),
      confirmedAtMs: () =>
        Math.max(
          ...[recorder.last, recorder.confirmed.at(-1)].map((told) => told?.confirmedAtMs ?? 0),
        ),
      there: (...instances) =>
        instances.map(({ key, weight }) => `${key}=${driver.weightThere?.(weight) ?? weight}`),
      begin() {
        driver.source.start(recorder);
        return clock.settle(firstMs);
      },
    };
  }

  const probe = fixture();
  const changing = probe.fail !== undefined;
  const { noneMs = probe.bounds.noticeMs, confirmMs, silenceMs } = probe.bounds;

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
      const { clock, recorder, source, list, begin, there } = fixture();
      list([a, b]);
      await begin();
      expect(recorder.last).toMatchObject({
        version: 1,
        service: source.service,
        source: source.name,
        stale: false,
        rejected: 0,
      });
      expect(recorder.listed()).toEqual(there(a, b));
      expect(recorder.last?.confirmedAtMs).toBeLessThanOrEqual(clock.now());
      expect(Object.isFrozen(recorder.last)).toBe(true);
      await source.close();
    });

    it("gives the list of an engine that answers at once", async () => {
      const { clock, recorder, source, list, there } = fixture();
      list([a, b]);
      source.start(recorder);
      await clock.settle(PROMPT_MS);
      expect(recorder.listed()).toEqual(there(a, b));
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

    when(changing)("says what leads from each list to the next", async () => {
      const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);
      const random = seededRandom(seed);
      const { recorder, source, list, fail, begin, notice, recover } = fixture();
      list([a]);
      await begin();
      for (let turn = 0; turn < 12; turn++) {
        if (random() < 0.2) fail?.();
        else list(randomList(random));
        await (random() < 0.5 ? notice() : recover());
      }
      const told = recorder.snapshots.map(({ instances }) => linesOf(instances));
      expect(led(recorder), `FUZZ_SEED=${seed}`).toEqual(told);
      expect(recorder.changes[0], "of the first list").toBeUndefined();
      await source.close();
    });

    when(changing)("follows changes with growing versions", async () => {
      const { recorder, source, list, begin, notice, there } = fixture();
      list([a]);
      await begin();
      list([a, b]);
      await notice();
      list([{ ...a, weight: 0 }, c]);
      await notice();
      expect(recorder.snapshots.map(({ version }) => version)).toEqual([1, 2, 3]);
      expect(recorder.listed()).toEqual(there({ ...a, weight: 0 }, c));
      await source.close();
    });

    when(changing)("gives an error when there is no list, and a list when there is", async () => {
      const { recorder, source, list, begin, recover } = fixture();
      await begin();
      expect(recorder.snapshots).toEqual([]);
      expect(recorder.errors[0]).toMatchObject({ name: "DiscoveryError" });
      list([a]);
      await recover();
      expect(recorder.last).toMatchObject({ version: 1, stale: false });
      await source.close();
    });

    when(changing)("never empties its list because of an error", async () => {
      const { clock, recorder, source, list, fail, begin, notice, recover } = fixture();
      list([a]);
      await begin();
      fail?.();
      await notice();
      expect(recorder.last).toMatchObject({ version: 2, stale: true });
      await clock.settle(MINUTE_MS);
      expect(recorder.last).toMatchObject({ version: 2, stale: true });
      expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
      expect(recorder.errors.length).toBeGreaterThan(0);
      list([a]);
      await recover();
      expect(recorder.last).toMatchObject({ version: 3, stale: false });
      await source.close();
    });

    when(changing)("empties its list when there is authoritatively nobody", async () => {
      const { clock, recorder, source, list, begin, notice, there } = fixture();
      list([a]);
      await begin();
      list([]);
      await clock.settle(noneMs);
      expect(recorder.last).toMatchObject({ instances: [], stale: false });
      list([b]);
      await notice();
      expect(recorder.listed()).toEqual(there(b));
      await source.close();
    });

    when(changing)("joins what comes in a burst, and ends with the last of it", async () => {
      const { clock, recorder, source, list, begin, notice, there } = fixture();
      list([a]);
      await begin();
      for (let n = 1; n <= BURST.lists; n++) {
        list([a, instanceOf({ host: `10.0.1.${n}`, port: 80 })]);
        await clock.settle(BURST.apartMs);
      }
      await notice();
      const last = instanceOf({ host: `10.0.1.${BURST.lists}`, port: 80 });
      expect(recorder.listed()).toEqual(there(a, last));
      const most = probe.joinedThere === true ? BURST.lists : MOST_OF_A_BURST;
      expect(recorder.snapshots.length - 1).toBeLessThanOrEqual(most);
      await source.close();
    });

    when(changing)("tells how old its list is: confirmed while the engine says so", async () => {
      const { clock, recorder, source, list, fail, begin, notice, confirmedAtMs } = fixture();
      list([a]);
      await begin();
      for (let n = 0; n < 5; n++) {
        const before = confirmedAtMs();
        await clock.settle(confirmMs);
        expect(confirmedAtMs()).toBeGreaterThan(before);
        expect(clock.now() - confirmedAtMs()).toBeLessThanOrEqual(confirmMs);
      }
      expect(recorder.snapshots.length).toBe(1);
      fail?.();
      const failedAtMs = clock.now();
      await notice();
      await clock.settle(MINUTE_MS);
      expect(recorder.last?.stale).toBe(true);
      expect(confirmedAtMs()).toBeLessThanOrEqual(failedAtMs);
      await source.close();
    });

    /** When an engine that fails is asked, counted from the start. */
    async function triesOf(random: Random): Promise<readonly number[]> {
      const { clock, recorder, source, asked = () => 0 } = fixture(random);
      const startMs = clock.now();
      const tries: number[] = [];
      let before = 0;
      source.start(recorder);
      for (let nextMs = startMs; nextMs <= startMs + MINUTE_MS; ) {
        await clock.settle(nextMs - clock.now());
        for (; before < asked(); before++) tries.push(nextMs - startMs);
        nextMs = clock.pending()[0]?.dueMs ?? Number.POSITIVE_INFINITY;
      }
      await source.close();
      return tries;
    }

    when(probe.asked !== undefined)("tries again with pauses that are its own", async () => {
      const early = await triesOf(() => 0.1);
      const late = await triesOf(() => 0.9);
      expect(early.length).toBeLessThan(MAX_TRIES);
      const again = (tries: readonly number[]) => tries.filter((ms) => ms > 0);
      expect(again(early).length).toBeGreaterThan(1);
      expect(again(early)[0]).toBeLessThan(again(late)[0] ?? 0);
      expect(again(early).filter((ms) => again(late).includes(ms))).toEqual([]);
    });

    when(silenceMs !== undefined)("notices a connection that is half-open", async () => {
      const { clock, recorder, source, list, mute, begin, recover, confirmedAtMs } = fixture();
      list([a]);
      await begin();
      mute?.();
      const mutedAtMs = clock.now();
      await clock.settle(silenceMs);
      expect(recorder.last).toMatchObject({ stale: true });
      expect(recorder.listed()).toEqual(["10.0.0.1:80=100"]);
      await clock.settle(MINUTE_MS);
      expect(recorder.errors[0]).toMatchObject({ name: "DiscoveryError" });
      expect(confirmedAtMs()).toBeLessThanOrEqual(mutedAtMs);
      list([a, b]);
      await recover();
      expect(recorder.last).toMatchObject({ stale: false });
      expect(recorder.listed().length).toBe(2);
      await source.close();
    });

    when(probe.mute !== undefined)("gives an error when nobody answers", async () => {
      const { recorder, source, mute, begin } = fixture();
      mute?.();
      await begin();
      expect(recorder.snapshots).toEqual([]);
      expect(recorder.errors[0]).toMatchObject({ name: "DiscoveryError" });
      await source.close();
    });

    /** What a source may be at when it is closed; it begins with a list but for the first three. */
    const states: Readonly<Record<string, (fixture: Fixture) => unknown>> = {
      ...(changing && { "that is waiting to try again": ({ begin }: Fixture) => begin() }),
      ...(probe.mute !== undefined && {
        "whose first question is not answered": async ({ mute, source, recorder, clock }) => {
          mute?.();
          source.start(recorder);
          await clock.settle(PROMPT_MS);
        },
        "whose engine has fallen silent": async ({ list, begin, mute, clock }) => {
          list([a]);
          await begin();
          mute?.();
          await clock.settle(silenceMs);
        },
      }),
      ...(changing && {
        "that has just lost its engine": async ({ list, begin, fail, notice }: Fixture) => {
          list([a]);
          await begin();
          fail?.();
          await notice();
        },
        "that is amid a burst": async ({ list, begin }: Fixture) => {
          list([a]);
          await begin();
          list([a, b]);
          list([b, c]);
        },
      }),
    };
    it.each(Object.entries(states))("closes clean when it is one %s", async (_, reach) => {
      const all = fixture();
      await reach(all);
      const { clock, recorder, source, list, recover, asked = () => 0, leftOpen = () => 0 } = all;
      await source.close();
      const told = (): number =>
        [recorder.snapshots, recorder.errors, recorder.confirmed].flat().length;
      const before = [told(), asked()];
      list([c]);
      await recover();
      expect([told(), asked()]).toEqual(before);
      expect([clock.pending(), leftOpen()]).toEqual([[], 0]);
    });

    it("closes clean when its own listener closes it", async () => {
      const { clock, recorder, source, list, recover, leftOpen = () => 0 } = fixture();
      list([a]);
      source.start({
        ...recorder,
        onSnapshot(snapshot) {
          recorder.onSnapshot(snapshot);
          void source.close();
        },
      });
      await recover();
      list([b]);
      await recover();
      expect(recorder.snapshots.length).toBe(1);
      expect([clock.pending(), leftOpen()]).toEqual([[], 0]);
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

/** Up to five of eight addresses, with weights from 0 to the greatest. */
function randomList(random: Random): readonly Instance[] {
  const weights = [0, 1, 100, MAX_WEIGHT];
  return Array.from({ length: 8 }, (_, index) => index + 1)
    .filter(() => random() < 0.5)
    .map((place) => {
      const weight = weights[Math.floor(random() * weights.length)] ?? 1;
      return instanceOf({ host: `10.0.0.${place}`, port: 80, weight });
    })
    .slice(0, 5);
}

/** What each snapshot has to list by the changes alone: those of the first, then each change applied to the ones before. */
function led({ snapshots, changes }: SourceRecorder): readonly (readonly string[])[] {
  const byKey = new Map<string, Instance>();
  return snapshots.map(({ instances }, index) => {
    const change = changes[index];
    if (change === undefined) byKey.clear();
    for (const key of change?.removed ?? []) {
      if (!byKey.delete(key)) throw new Error(`${key} is removed and was not listed`);
    }
    for (const instance of change?.changed ?? instances) byKey.set(instance.key, instance);
    return linesOf([...byKey.values()]);
  });
}

function linesOf(instances: readonly Instance[]): readonly string[] {
  return instances.map(({ key, name, weight, app }) => `${key} ${name} ${weight} ${app}`).sort();
}
