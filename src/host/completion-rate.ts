/** Busy time after which what was seen counts a third: long enough for calls that end in bunches. */
const MEMORY_MS = 5_000;

/**
 * How fast calls end while any are in progress: an exponentially weighted mean. It fades with busy time rather than with
 * calls, so that many that end in the same moment do not push out what was seen before, and idle time does not count.
 */
export class CompletionRate {
  #sinceMs = 0;
  #busyMs = 0;
  #completions = 0;

  /** Calls are in progress again, after none was. */
  busy(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** A call has ended. */
  completed(nowMs: number): void {
    const passedMs = nowMs - this.#sinceMs;
    const kept = Math.exp(-passedMs / MEMORY_MS);
    this.#busyMs = this.#busyMs * kept + passedMs;
    this.#completions = this.#completions * kept + 1;
    this.#sinceMs = nowMs;
  }

  /** Milliseconds in which so many calls end; undefined before one has. */
  msFor(calls: number): number | undefined {
    return this.#completions === 0 ? undefined : (calls * this.#busyMs) / this.#completions;
  }
}
