import type { CancelTimer, Clock } from "../../core/ports.js";
import type { PoolMember } from "./pool-member.js";

/** Least time between two looks, in milliseconds: how much later than due a connection may be closed. */
const LEAST_MS = 250;

/** So many are closed at once, and the next ones so many milliseconds later: closing is work too. */
const SLICE = 16;
const SLICE_MS = 10;

/**
 * Closes connections on which there was no attempt for long: one timer for all, and none while nobody is connected. Who is out of
 * rotation keeps its connection: that is how it tells that it is well again.
 */
export class IdleSweep {
  readonly #clock: Clock;
  readonly #idleTimeoutMs: number;
  readonly #connected: ReadonlySet<PoolMember>;
  #stopTimer: CancelTimer | undefined;

  /** @param connected - whose connections there are; looked at whenever it is time */
  constructor(clock: Clock, idleTimeoutMs: number, connected: ReadonlySet<PoolMember>) {
    this.#clock = clock;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#connected = connected;
  }

  /** A connection has come up. */
  begin(): void {
    if (this.#idleTimeoutMs === Number.POSITIVE_INFINITY) return;
    this.#stopTimer ??= this.#sweepAfter(this.#idleTimeoutMs);
  }

  /** The last connection is gone. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #sweepAfter(ms: number): CancelTimer {
    return this.#clock.after(ms, () => this.#sweep(), { background: true });
  }

  #sweep(): void {
    const now = this.#clock.now();
    let nextMs = this.#idleTimeoutMs;
    let closed = 0;
    for (const member of this.#connected) {
      if (member.inFlight > 0 || member.listened || !member.usable) continue;
      const leftMs = member.idleSinceMs + this.#idleTimeoutMs - now;
      if (leftMs > 0) {
        nextMs = Math.min(nextMs, Math.max(LEAST_MS, leftMs));
      } else if (closed < SLICE) {
        closed++;
        member.rest();
      } else {
        nextMs = SLICE_MS;
        break;
      }
    }
    this.stop();
    if (this.#connected.size > 0) this.#stopTimer = this.#sweepAfter(nextMs);
  }
}
