/** Below this, differences are the network's and the event loop's, not the instance's. */
const SHORTEST_MS = 1;

/** How many answers the mean goes back, about. */
const MEMORY = 20;

/**
 * How long an instance takes to answer, as the geometric mean of its last answers: one answer that takes a hundred times as
 * long moves it no more than four that take three times as long.
 */
export class AnswerTime {
  #answers = 0;
  #log = 0;
  #lastMs = 0;

  /** How many answers it goes by. */
  get answers(): number {
    return this.#answers;
  }

  /** Logarithm of the mean, in milliseconds. */
  get log(): number {
    return this.#log;
  }

  /** When the last answer came. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** The mean, in milliseconds; 0 while there is none. */
  get usualMs(): number {
    return this.#answers === 0 ? 0 : Math.exp(this.#log);
  }

  note(nowMs: number, durationMs: number): void {
    this.#take(nowMs, Math.log(Math.max(SHORTEST_MS, durationMs)));
  }

  /** It would have taken at least so long. */
  noteAtLeast(nowMs: number, durationMs: number): void {
    const log = Math.log(Math.max(SHORTEST_MS, durationMs));
    if (this.#answers === 0 || log > this.#log) this.#take(nowMs, log);
  }

  clear(): void {
    this.#answers = 0;
  }

  #take(nowMs: number, log: number): void {
    this.#answers++;
    this.#log += (log - this.#log) / Math.min(this.#answers, MEMORY);
    this.#lastMs = nowMs;
  }
}
