import type { CancelTimer, Clock } from "../../core/ports.js";

/** Who waits to open a connection. */
export interface Opener {
  /** Its turn has come. */
  open(): void;
}

/** What a line needs from outside. */
export interface LinePorts {
  readonly clock: Clock;
  /** Least time between two tries again, in milliseconds; Infinity while there are to be none, until {@link OpeningLine.advance}. */
  readonly retryGapMs: () => number;
}

/** Of those that join so many may come up any moment: what they then cost comes all at once, some milliseconds each. */
const MOST_CONNECTING = 8;

/** Who takes longer comes up by itself, if ever: it must not keep others waiting. */
const SLOW_MS = 250;

/** In each stretch of so many milliseconds the line works for so long at most, and begins so many that join. */
const STRETCH_MS = 10;
const WORK_MS = 3;
const MOST_BEGUN = 4;

/** Some who wait for the same, in order, and how many milliseconds the first of them has to wait for it. */
interface Queue {
  readonly openers: Set<Opener>;
  readonly roomInMs: () => number;
}

/**
 * Lets connections be opened a few at a time, so that a thousand of them do not hold up the event loop: for those that nobody
 * waits for. What a call needs is opened at once, past the line.
 *
 * Those that join, those that try again and those that have been trying for long take turns: neither kind, however many there are
 * of it, keeps the others waiting.
 */
export class OpeningLine {
  readonly #ports: LinePorts;
  readonly #joining: Queue = { openers: new Set(), roomInMs: () => this.#roomInMs() };
  readonly #again: Queue = { openers: new Set(), roomInMs: () => this.#retryInMs() };
  readonly #longAgain: Queue = { openers: new Set(), roomInMs: () => this.#retryInMs() };
  readonly #queues = [this.#joining, this.#again, this.#longAgain];
  /** Whose turn it is. */
  #turn = 0;
  /** When each of those that join was begun. */
  readonly #connecting = new Map<Opener, number>();
  #stretchMs = Number.NEGATIVE_INFINITY;
  #triedMs = 0;
  #workedMs = 0;
  /** Of those that join, in this stretch. */
  #begun = 0;
  #working = false;
  #stopTimer: CancelTimer | undefined;

  constructor(ports: LinePorts) {
    this.#ports = ports;
  }

  /** Opens when its turn comes, one of many perhaps; at once while there is little to do. */
  join(opener: Opener): void {
    this.#joining.openers.add(opener);
    this.advance();
  }

  /**
   * The same for another try.
   *
   * @param long - whether it has been trying for long
   */
  again(opener: Opener, long: boolean): void {
    (long ? this.#longAgain : this.#again).openers.add(opener);
    this.advance();
  }

  /** Its connection is up or has failed, or it does not want one any more. */
  leave(opener: Opener): void {
    for (const { openers } of this.#queues) openers.delete(opener);
    if (this.#connecting.delete(opener)) this.advance();
  }

  /** Nobody gets a turn any more. */
  close(): void {
    for (const { openers } of this.#queues) openers.clear();
    this.#connecting.clear();
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** Opens who may be opened now: also to be called when tries again may follow each other faster than before. */
  advance(): void {
    if (this.#working) return;
    this.#working = true;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const nextMs = this.#openSome();
    if (nextMs < Number.POSITIVE_INFINITY) this.#later(nextMs);
    this.#working = false;
  }

  /** @returns how long the next one has to wait; Infinity when there is none */
  #openSome(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (let passed = 0; passed < this.#queues.length; passed++) {
      const queue = this.#queues[this.#turn] ?? this.#joining;
      this.#turn = (this.#turn + 1) % this.#queues.length;
      const [opener] = queue.openers;
      if (opener === undefined) continue;
      const waitMs = Math.max(this.#timeInMs(), queue.roomInMs());
      if (waitMs > 0) {
        nextMs = Math.min(nextMs, waitMs);
        continue;
      }
      queue.openers.delete(opener);
      this.#open(opener, queue);
      nextMs = Number.POSITIVE_INFINITY;
      passed = -1;
    }
    return nextMs;
  }

  #open(opener: Opener, queue: Queue): void {
    const beganMs = this.#ports.clock.now();
    if (queue === this.#joining) this.#connecting.set(opener, beganMs);
    else this.#triedMs = beganMs;
    opener.open();
    // What is up already, such as in memory, costs nothing later.
    if (this.#connecting.has(opener)) this.#begun++;
    this.#workedMs += this.#ports.clock.now() - beganMs;
  }

  #timeInMs(): number {
    const now = this.#ports.clock.now();
    if (now - this.#stretchMs >= STRETCH_MS) {
      this.#stretchMs = now;
      this.#workedMs = 0;
      this.#begun = 0;
    }
    return this.#workedMs >= WORK_MS ? this.#stretchMs + STRETCH_MS - now : 0;
  }

  #roomInMs(): number {
    const now = this.#ports.clock.now();
    if (this.#begun >= MOST_BEGUN) return this.#stretchMs + STRETCH_MS - now;
    for (const [opener, beganMs] of this.#connecting) {
      if (this.#connecting.size < MOST_CONNECTING) return 0;
      if (now - beganMs < SLOW_MS) return beganMs + SLOW_MS - now;
      this.#connecting.delete(opener);
    }
    return 0;
  }

  #retryInMs(): number {
    const gapMs = this.#ports.retryGapMs();
    return gapMs > 0 ? this.#triedMs + gapMs - this.#ports.clock.now() : 0;
  }

  #later(ms: number): void {
    this.#stopTimer = this.#ports.clock.after(ms, () => this.advance(), { background: true });
  }
}
