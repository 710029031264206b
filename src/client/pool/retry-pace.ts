import type { Clock } from "../../core/ports.js";
import type { MemberConnection } from "./member-connection.js";
import type { OpeningLine } from "./opening-line.js";

/** First wait between two tries to reach an instance that somebody waits for, in milliseconds. */
const HURRY_MS = 200;

/** So many are hurried at once, and then no more within so many milliseconds: there may be very many. */
const HURRIED = 1_000;
const HURRIED_EVERY_MS = 1_000;

/** Time between two tries again while nobody waits, in milliseconds, however many instances are down: fifty a second. */
const RETRY_GAP_MS = 20;

/**
 * How soon a pool tries again to reach those that are down: soon while a call waits for an instance, now and then while calls get
 * on without them, and never when there has been no call for as long as a connection may be idle.
 */
export class RetryPace {
  /** Those whose next try is still to come, the one that was hurried last at the end. */
  readonly retrying: Set<MemberConnection> = new Set<MemberConnection>();
  readonly #clock: Clock;
  readonly #idleTimeoutMs: number;
  readonly #waits: () => boolean;
  /** Whether there has been a call since it was looked last, and when that was seen. */
  #called = false;
  #calledMs: number;
  #asleep = false;
  #hurriedMs = Number.NEGATIVE_INFINITY;

  /** @param waits - whether any call waits for an instance */
  constructor(clock: Clock, idleTimeoutMs: number, waits: () => boolean) {
    this.#clock = clock;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#waits = waits;
    this.#calledMs = clock.now();
  }

  /** There is a call; who has not been tried for want of one stands in this line. */
  called(line: OpeningLine): void {
    this.#called = true;
    if (!this.#asleep) return;
    this.#asleep = false;
    line.advance();
  }

  /** Least time between two tries again of the whole pool, in milliseconds; Infinity until the next call. */
  gapMs(): number {
    if (this.#waits()) return 0;
    const now = this.#clock.now();
    if (this.#called) this.#calledMs = now;
    this.#called = false;
    this.#asleep = now - this.#calledMs >= this.#idleTimeoutMs;
    return this.#asleep ? Number.POSITIVE_INFINITY : RETRY_GAP_MS;
  }

  /**
   * Least time between two tries of one instance while a call waits, in milliseconds; Infinity while none does.
   *
   * @param members - how many there are: a thousand tries a second, however many are down
   */
  hurryMs(members: number): number {
    return this.#waits() ? Math.max(HURRY_MS, members) : Number.POSITIVE_INFINITY;
  }

  /** A call begins to wait; `first` when none did. */
  hurry(first: boolean): void {
    const many = this.retrying.size > HURRIED;
    // Later ones need not: as long as any waits, those that fail hurry by themselves.
    if (!first && !many) return;
    const now = this.#clock.now();
    if (many && now - this.#hurriedMs < HURRIED_EVERY_MS) return;
    this.#hurriedMs = now;
    let left = Math.min(HURRIED, this.retrying.size);
    for (const connection of this.retrying) {
      if (left-- <= 0) break;
      this.retrying.delete(connection);
      this.retrying.add(connection);
      connection.hurry();
    }
  }
}
