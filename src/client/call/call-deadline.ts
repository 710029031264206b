import type { AmbientCall } from "../../core/ambient-call.js";
import type { CallStart } from "./call-start.js";

/** What is kept of the time of the call that is served, for its own answer: this part of it, and at most so much. */
const RESERVE_RATIO = 0.1;
const LONGEST_RESERVE_MS = 20;

/**
 * The time that a call has, with all its attempts, on the channel's clock: the nearest of its own limit, nice-grpc's
 * deadline and what is left to the call that is being served. A stream of answers has no limit of its own here, only one
 * to its first message.
 */
export class CallDeadline {
  readonly startedMs: number;
  /** Infinity for no limit. */
  readonly atMs: number;
  /** Whether it is that of the call that is served. */
  readonly inherited: boolean;

  /** @param served - the call that is served; undefined when there is none, or this one is not part of it */
  constructor(start: CallStart, served: AmbientCall | undefined, startedMs: number) {
    const { method, extras, deadlineMs } = start;
    const ownMs = method.responseStream
      ? Number.POSITIVE_INFINITY
      : startedMs + (extras.timeoutMs ?? method.timeoutMs);
    const askedMs = Math.min(ownMs, deadlineMs);
    const inheritedMs =
      served === undefined
        ? Number.POSITIVE_INFINITY
        : startedMs + withoutReserve(served.remainingMs());
    this.startedMs = startedMs;
    this.atMs = Math.min(askedMs, inheritedMs);
    this.inherited = inheritedMs < askedMs;
  }

  /** Time that the call had when it started. */
  get timeoutMs(): number {
    return this.atMs - this.startedMs;
  }

  /** Time left; 0 when it is over. */
  leftMs(nowMs: number): number {
    return Math.max(0, this.atMs - nowMs);
  }
}

function withoutReserve(leftMs: number): number {
  return leftMs - Math.min(LONGEST_RESERVE_MS, leftMs * RESERVE_RATIO);
}
