import type { Reason } from "../core/error-catalog.js";
import type { Clock } from "../core/ports.js";
import type { AttemptReport, CallReport } from "../core/serving-error.js";
import type { Snapshot } from "../core/snapshot.js";
import type { Status } from "../core/status.js";
import type { AttemptEnd, Transport } from "../transport/transport.js";

/** Notes down what a call goes through; the report is made only when somebody asks for it. */
export class CallLog {
  readonly #clock: Clock;
  readonly #attempts: AttemptNote[] = [];
  /** How long the call waited for the first list, in milliseconds. */
  resolveMs = 0;
  #snapshot: Snapshot | undefined;
  #pickedMs = 0;
  #candidates = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many attempts there were. */
  get attempts(): number {
    return this.#attempts.length;
  }

  /** An instance was picked, or none could be. */
  picked(nowMs: number, snapshot: Snapshot | undefined, candidates: number): void {
    this.#pickedMs = nowMs;
    this.#snapshot = snapshot;
    this.#candidates = candidates;
  }

  /** An attempt begins at the time of the pick. */
  began(instance: string, transport: Transport): void {
    const note = new AttemptNote(instance, this.#pickedMs);
    this.#attempts.push(note);
    if (transport.state === "ready") return;
    const stop = transport.onState((state) => {
      if (state !== "ready" && state !== "closed") return;
      note.connectMs = this.#clock.now() - note.startedMs;
      stop();
    });
  }

  /**
   * The attempt is over.
   *
   * @returns how long it took, in milliseconds
   */
  ended({ code, reason }: AttemptEnd): number {
    const note = this.#attempts[this.#attempts.length - 1];
    if (note === undefined) return 0;
    note.code = code;
    note.reason = reason;
    note.durationMs = this.#clock.now() - note.startedMs;
    return note.durationMs;
  }

  /** What the call went through so far. */
  report(): CallReport {
    const snapshot = this.#snapshot;
    const ageMs = snapshot === undefined ? 0 : this.#pickedMs - snapshot.confirmedAtMs;
    return {
      snapshotVersion: snapshot?.version ?? 0,
      snapshotAgeMs: Math.max(0, ageMs),
      candidates: this.#candidates,
      resolveMs: this.resolveMs,
      attempts: this.#attempts.map(attemptReport),
    };
  }
}

class AttemptNote {
  readonly instance: string;
  readonly startedMs: number;
  code: Status | undefined = undefined;
  reason: Reason | undefined = undefined;
  connectMs = 0;
  durationMs = 0;

  constructor(instance: string, startedMs: number) {
    this.instance = instance;
    this.startedMs = startedMs;
  }
}

function attemptReport(note: AttemptNote): AttemptReport {
  const { instance, code, reason, connectMs, durationMs } = note;
  return { instance, code, reason, connectMs, durationMs };
}
