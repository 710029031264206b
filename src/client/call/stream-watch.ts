import type { CancelTimer, Clock } from "../../core/ports.js";

/** The limits of a stream, in milliseconds. */
export interface StreamLimits {
  /** Until the first message. */
  readonly firstMs: number;
  /** Between two messages, of either side. */
  readonly idleMs: number;
}

/**
 * Watches that a stream goes on: its first message comes in time, and no gap is too long. Time in which the app does not
 * ask for a message does not count.
 *
 * One timer for all messages: it looks back when it runs, instead of being set anew with each message.
 */
export class StreamWatch {
  readonly #clock: Clock;
  readonly #limits: StreamLimits;
  readonly #onSilent: (waitedMs: number, first: boolean) => void;
  #stopTimer: CancelTimer | undefined;
  #lastMs: number;
  #first = true;
  #reading = false;

  constructor(
    clock: Clock,
    limits: StreamLimits,
    onSilent: (waitedMs: number, first: boolean) => void,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onSilent = onSilent;
    this.#lastMs = clock.now();
    this.#arm(limits.firstMs);
  }

  /** The app asks for a message. */
  onRead(): void {
    this.#reading = true;
    if (!this.#first) this.#lastMs = this.#clock.now();
  }

  /** A message was sent. */
  onSend(): void {
    if (!this.#first) this.#lastMs = this.#clock.now();
  }

  /** A message arrived. */
  onMessage(): void {
    this.#reading = false;
    this.#lastMs = this.#clock.now();
    if (!this.#first) return;
    this.#first = false;
    this.#arm(this.#limits.idleMs);
  }

  /** Ends the watch. */
  stop(): void {
    this.#stopTimer?.();
  }

  #arm(ms: number): void {
    this.#stopTimer?.();
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#stopTimer = this.#clock.after(ms, () => this.#look(), { background: true });
  }

  #look(): void {
    const limitMs = this.#first ? this.#limits.firstMs : this.#limits.idleMs;
    const silentMs = this.#first || this.#reading ? this.#clock.now() - this.#lastMs : 0;
    if (silentMs >= limitMs) this.#onSilent(limitMs, this.#first);
    else this.#arm(limitMs - silentMs);
  }
}
