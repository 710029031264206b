import type { CallAbort } from "../core/call-abort.js";
import type { CancelTimer, Clock } from "../core/ports.js";

/** One sample of a metric. */
export interface Sample {
  readonly name: string;
  /** Finite. */
  readonly value: number;
  readonly tags: ReadonlyMap<string, string>;
}

/** The samples of one metric with one set of tags, taken together over one second. */
export interface SamplePoint {
  readonly name: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly count: number;
  /** Clamped to the finite numbers. */
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Value that came last. */
  readonly last: number;
}

/** What was sampled in one second. */
export interface SampledSecond {
  /** Seconds since 1970. */
  readonly second: number;
  readonly points: readonly SamplePoint[];
}

/** Keeps the samples of the last minutes, second by second, in bounded memory. */
export interface SampleStore {
  /** Second under way, since 1970: what is recorded now belongs to it. */
  readonly currentSecond: number;
  /** Points held, over all seconds. */
  readonly size: number;
  /** Takes samples, all in the same second. */
  record(samples: readonly Sample[]): void;
  /** The first second at or after `from` that has samples; undefined when there is none. */
  next(from: number): SampledSecond | undefined;
  /** The value of each metric that came last, whatever its tags. */
  readonly latest: ReadonlyMap<string, number>;
  /** Resolves when the second under way has ended, or the caller has left. */
  secondEnds(abort: CallAbort): Promise<void>;
}

/** What bounds a store. */
export interface SampleStoreOptions {
  readonly clock: Clock;
  /** Seconds that are kept, the one under way included. @defaultValue 300 */
  readonly seconds?: number;
  /** Tag sets of one metric that are told apart. @defaultValue 1,000 */
  readonly maxTagSets?: number;
  /** Points that are held: the oldest seconds make room for new ones. @defaultValue 100,000 */
  readonly maxPoints?: number;
}

/**
 * Tags of what comes with more tag sets than are told apart; counts and sums stay right over all points of a metric.
 * OpenTelemetry does the same.
 */
export const overflowTags: ReadonlyMap<string, string> = new Map([["overflow", "true"]]);

/** Makes an empty store. */
export function createSampleStore(options: SampleStoreOptions): SampleStore {
  return new SecondRing(options);
}

/** One metric with one set of tags, as long as any second holds samples of it. */
interface Series {
  readonly name: string;
  readonly key: string;
  readonly tags: ReadonlyMap<string, string>;
  /** The last second that holds a point of it. */
  lastSecond: number;
}

type Point = { -readonly [K in "count" | "sum" | "min" | "max" | "last"]: SamplePoint[K] };

interface Second {
  readonly second: number;
  readonly points: Map<Series, Point>;
}

class SecondRing implements SampleStore {
  readonly latest: Map<string, number> = new Map();
  readonly #clock: Clock;
  readonly #keptSeconds: number;
  readonly #maxTagSets: number;
  readonly #maxPoints: number;
  /** Those with samples, oldest first; at most one for each second that is kept. */
  readonly #seconds: Second[] = [];
  readonly #series = new Map<string, Map<string, Series>>();
  #size = 0;
  readonly #waiting = new Set<() => void>();
  #cancelTimer: CancelTimer | undefined;

  constructor(options: SampleStoreOptions) {
    this.#clock = options.clock;
    this.#keptSeconds = options.seconds ?? 300;
    this.#maxTagSets = options.maxTagSets ?? 1_000;
    this.#maxPoints = options.maxPoints ?? 100_000;
  }

  get currentSecond(): number {
    return Math.floor(this.#clock.now() / 1_000);
  }

  get size(): number {
    return this.#size;
  }

  record(samples: readonly Sample[]): void {
    const second = this.#secondOf(this.currentSecond);
    for (const sample of samples) {
      this.#add(second, sample);
      this.latest.set(sample.name, sample.value);
    }
  }

  next(from: number): SampledSecond | undefined {
    this.#forget(this.currentSecond);
    const found = this.#seconds.find(({ second }) => second >= from);
    if (found === undefined) return undefined;
    const points = [...found.points].map(([{ name, tags }, point]) => ({ name, tags, ...point }));
    return { second: found.second, points };
  }

  secondEnds(abort: CallAbort): Promise<void> {
    if (abort.reason !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        if (this.#waiting.size === 0) this.#stopTimer();
        takeBack();
        resolve();
      };
      this.#waiting.add(done);
      this.#cancelTimer ??= this.#atSecondEnd();
      const takeBack = abort.onAbort(() => done());
    });
  }

  /** One timer for everybody who waits. */
  #atSecondEnd(): CancelTimer {
    const leftMs = (this.currentSecond + 1) * 1_000 - this.#clock.now();
    const tick = (): void => {
      this.#cancelTimer = undefined;
      for (const done of [...this.#waiting]) done();
    };
    return this.#clock.after(leftMs, tick, { background: true });
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #secondOf(second: number): Second {
    this.#forget(second);
    const newest = this.#seconds.at(-1);
    if (newest?.second === second) return newest;
    const made = { second, points: new Map<Series, Point>() };
    this.#seconds.push(made);
    return made;
  }

  #add(second: Second, sample: Sample): void {
    const series = this.#seriesOf(sample, second);
    const { value } = sample;
    const point = second.points.get(series);
    if (point === undefined) {
      series.lastSecond = second.second;
      second.points.set(series, { count: 1, sum: value, min: value, max: value, last: value });
      this.#size++;
      return;
    }
    point.count++;
    point.sum = finite(point.sum + value);
    point.min = Math.min(point.min, value);
    point.max = Math.max(point.max, value);
    point.last = value;
  }

  #seriesOf({ name, tags }: Sample, second: Second): Series {
    let ofName = this.#series.get(name);
    if (ofName === undefined) {
      ofName = new Map();
      this.#series.set(name, ofName);
    }
    const key = keyOf(tags);
    const inSecond = ofName.get(key);
    if (inSecond !== undefined && second.points.has(inSecond)) return inSecond;
    const room = this.#madeRoom(second);
    // Looked up again: making room may have forgotten it.
    const known = ofName.get(key);
    if (room && known !== undefined) return known;
    const lastSecond = second.second;
    if (room && ofName.size < this.#maxTagSets) {
      return newSeries(ofName, { name, key, tags, lastSecond });
    }
    return (
      ofName.get(OVERFLOW_KEY) ??
      newSeries(ofName, { name, key: OVERFLOW_KEY, tags: overflowTags, lastSecond })
    );
  }

  /** Forgets the oldest seconds until there is room for one more point; false when the second under way fills it all. */
  #madeRoom(current: Second): boolean {
    while (this.#size >= this.#maxPoints) {
      const [oldest] = this.#seconds;
      if (oldest === undefined || oldest === current) return false;
      this.#forgetOldest(oldest);
    }
    return true;
  }

  #forget(now: number): void {
    for (;;) {
      const [oldest] = this.#seconds;
      if (oldest === undefined || oldest.second > now - this.#keptSeconds) return;
      this.#forgetOldest(oldest);
    }
  }

  #forgetOldest(oldest: Second): void {
    this.#seconds.shift();
    this.#size -= oldest.points.size;
    for (const series of oldest.points.keys()) {
      if (series.lastSecond === oldest.second) this.#series.get(series.name)?.delete(series.key);
    }
  }
}

function newSeries(ofName: Map<string, Series>, series: Series): Series {
  ofName.set(series.key, series);
  return series;
}

/** The same for the same tags in whatever order. */
function keyOf(tags: ReadonlyMap<string, string>): string {
  return JSON.stringify([...tags].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const OVERFLOW_KEY = keyOf(overflowTags);

function finite(sum: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum));
}
