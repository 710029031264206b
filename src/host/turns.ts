import type { CallAbort } from "../core/call-abort.js";
import { LoopTurns } from "../core/loop-turns.js";

/**
 * Lets so many things be done at a time; the others wait, in order, until they are given up. No two begin in the same turn of
 * the event loop: where they work on this thread, everybody else's work comes between.
 */
export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();
  readonly #begins = new LoopTurns();

  constructor(atATime: number) {
    this.#free = atATime;
  }

  /** How many wait already for what the next one would have to wait for; undefined while it would not have to. */
  get ahead(): number | undefined {
    return this.#free > 0 ? undefined : this.#waiting.size;
  }

  /** Does the work when its turn has come. @throws what the work throws, or the reason of the abort that came first. */
  async take<T>(abort: CallAbort, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#turn(abort);
    try {
      await this.#begins.next();
      if (abort.reason !== undefined) throw abort.reason;
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #turn(abort: CallAbort): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        this.#waiting.delete(enter);
        forget();
        resolve();
      };
      this.#waiting.add(enter);
      const forget = abort.onAbort((reason) => {
        this.#waiting.delete(enter);
        reject(reason);
      });
    });
  }
}
