import type { CallReport } from "../../core/serving-error.js";
import type { Snapshot } from "../../core/snapshot.js";
import type { CallAttempt } from "./call-attempt.js";
import type { CallDeadline } from "./call-deadline.js";

const none: CallAttempt[] = [];

/** Notes down what a call goes through; the report is made only when somebody asks for it. */
export class CallLog {
  /** How long the call waited for the first list, in milliseconds. */
  resolveMs = 0;
  readonly #deadline: CallDeadline;
  #attempts: CallAttempt[] = none;
  #endedMs = Number.POSITIVE_INFINITY;
  #snapshot: Snapshot | undefined;
  #pickedMs = 0;
  #candidates = 0;

  constructor(deadline: CallDeadline) {
    this.#deadline = deadline;
  }

  /** In order of their start. */
  get attempts(): readonly CallAttempt[] {
    return this.#attempts;
  }

  /** An attempt begins. */
  begun(attempt: CallAttempt): void {
    // A list that begins with one element is the smallest; most calls have no second.
    if (this.#attempts === none) this.#attempts = [attempt];
    else this.#attempts.push(attempt);
  }

  /** An instance was picked, or none could be. */
  picked(nowMs: number, snapshot: Snapshot | undefined, candidates: number): void {
    this.#pickedMs = nowMs;
    this.#snapshot = snapshot;
    this.#candidates = candidates;
  }

  /**
   * The call is over.
   *
   * @returns how long it took, in milliseconds
   */
  ended(nowMs: number): number {
    this.#endedMs = nowMs;
    return nowMs - this.#deadline.startedMs;
  }

  /** What the call went through so far. */
  report(nowMs: number): CallReport {
    const snapshot = this.#snapshot;
    const ageMs = snapshot === undefined ? 0 : this.#pickedMs - snapshot.confirmedAtMs;
    const { startedMs, timeoutMs, inherited } = this.#deadline;
    const untilMs = Math.min(this.#endedMs, nowMs);
    return {
      snapshotVersion: snapshot?.version ?? 0,
      snapshotAgeMs: Math.max(0, ageMs),
      candidates: this.#candidates,
      resolveMs: this.resolveMs,
      timeoutMs,
      inherited,
      durationMs: untilMs - startedMs,
      attempts: this.#attempts.map((attempt) => attempt.report(startedMs, untilMs)),
    };
  }
}
