import type { AnswerTime } from "./answer-time.js";

/** An instance is compared, and compared with, by so many answers or more. */
const LEAST_ANSWERS = 10;

/** Of fewer than this nobody can say who is the slow one. */
const LEAST_INSTANCES = 3;

/** Whose last answer is older tells nothing of now. */
const RECENT_MS = 60_000;

/** How often the median is found anew; a millisecond an instance is longer in large services, where sorting costs more. */
const EVERY_MS = 1_000;

/** Compares how long an instance takes to answer with the median of all. */
export class UsualAnswerTime {
  readonly #slowerThanLog: number;
  #limitLog = Number.POSITIVE_INFINITY;
  #nextMs = Number.NEGATIVE_INFINITY;

  /** @param slowerThan - so many times the median is too slow; Infinity = nothing is */
  constructor(slowerThan: number) {
    this.#slowerThanLog = Math.log(slowerThan);
  }

  /** Whether an instance is too slow; `all` is only looked at when the median is due. */
  isTooSlow(time: AnswerTime, all: ReadonlyMap<string, HasAnswerTime>, nowMs: number): boolean {
    if (this.#slowerThanLog === Number.POSITIVE_INFINITY || time.answers < LEAST_ANSWERS) {
      return false;
    }
    if (nowMs >= this.#nextMs) this.#findMedian(all, nowMs);
    return time.log > this.#limitLog;
  }

  #findMedian(all: ReadonlyMap<string, HasAnswerTime>, nowMs: number): void {
    this.#nextMs = nowMs + Math.max(EVERY_MS, all.size);
    const logs: number[] = [];
    for (const { time } of all.values()) {
      if (time.answers >= LEAST_ANSWERS && nowMs - time.lastMs <= RECENT_MS) logs.push(time.log);
    }
    const sorted = Float64Array.from(logs).sort();
    const median = sorted[(sorted.length - 1) >> 1];
    this.#limitLog =
      median === undefined || sorted.length < LEAST_INSTANCES
        ? Number.POSITIVE_INFINITY
        : median + this.#slowerThanLog;
  }
}

/** What the median is found from. */
export interface HasAnswerTime {
  readonly time: AnswerTime;
}
