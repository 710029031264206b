import type { Clock } from "../../core/ports.js";
import type { CallEnd, Recorder } from "./recorder.js";

/** What a load is made of. */
export interface LoadParts {
  readonly clock: Clock;
  /** Runs something in the next turn of the event loop, when input has been looked at. */
  readonly soon: (run: () => void) => void;
  /** Ends the load before its time. */
  readonly signal: AbortSignal;
  /** Makes a call; never rejects. */
  readonly call: (number: number) => Promise<CallEnd>;
  /** Ends the calls in progress: they have got no more time. */
  readonly abandon: () => void;
  readonly recorder: Recorder;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

/** How a load ended. */
export interface LoadEnd {
  /** Without the warm-up. */
  readonly measuredMs: number;
  readonly interrupted: boolean;
}

/** What decides when calls start; times are milliseconds from the start of what is measured, negative in the warm-up. */
export interface Pace {
  /** When the next call is due, at the earliest; Infinity while it waits for another one to end. */
  nextDueMs(nowMs: number, inFlight: number): number;
  /** The next call has been taken. */
  taken(): void;
  /** Calls in progress above which those that are due are not sent. */
  readonly maxInFlight: number;
  /** Whether the end of a call may make another one due. */
  readonly waitsForCalls: boolean;
}

/** Calls start by schedule, whatever becomes of those before. */
export function openPace(next: () => number, maxInFlight: number, warmUpMs: number): Pace {
  let dueMs = next() - warmUpMs;
  return {
    maxInFlight,
    waitsForCalls: false,
    nextDueMs: () => dueMs,
    taken: () => {
      dueMs = next() - warmUpMs;
    },
  };
}

/** So many calls are in progress all the time. */
export function closedPace(inFlight: number): Pace {
  return {
    maxInFlight: inFlight,
    waitsForCalls: true,
    nextDueMs: (nowMs, busy) => (busy < inFlight ? nowMs : Number.POSITIVE_INFINITY),
    taken: () => {},
  };
}

/** Timers come up to so much late, so the last bit of a wait is spent turning the event loop. */
const TIMER_SLACK_MS = 2;
/** Calls that are started before the event loop turns. */
const BATCH = 64;
/** How long calls may go on when the load was ended before its time. */
const GRACE_MS = 1_000;

/** Makes calls at a pace, and waits until the last one has ended. */
export function runLoad(pace: Pace, parts: LoadParts): Promise<LoadEnd> {
  return new Promise((resolve) => new Load(pace, parts, resolve).begin());
}

class Load {
  readonly #pace: Pace;
  readonly #parts: LoadParts;
  readonly #resolve: (end: LoadEnd) => void;
  readonly #zeroMs: number;
  #inFlight = 0;
  #calls = 0;
  /** When the last call may start. */
  #endMs: number;
  #interrupted = false;
  #over = false;
  /** Whether a pump is waiting for the next turn of the event loop; one is enough. */
  #turning = false;
  #cancelWait: () => void = () => {};

  constructor(pace: Pace, parts: LoadParts, resolve: (end: LoadEnd) => void) {
    this.#pace = pace;
    this.#parts = parts;
    this.#resolve = resolve;
    this.#zeroMs = parts.clock.now() + parts.warmUpMs;
    this.#endMs = parts.durationMs;
  }

  begin(): void {
    const { signal } = this.#parts;
    signal.addEventListener("abort", this.#interrupt, { once: true });
    if (signal.aborted) this.#interrupt();
    else this.#pump();
  }

  readonly #interrupt = (): void => {
    if (this.#over) return;
    this.#interrupted = true;
    this.#endMs = Math.max(0, Math.min(this.#endMs, this.#nowMs()));
    this.#stop();
    if (this.#inFlight > 0) {
      this.#cancelWait = this.#parts.clock.after(GRACE_MS, this.#parts.abandon);
    }
  };

  #nowMs(): number {
    return this.#parts.clock.now() - this.#zeroMs;
  }

  readonly #pump = (): void => {
    if (this.#over) return;
    for (let started = 0; started < BATCH; started++) {
      const nowMs = this.#nowMs();
      const dueMs = this.#pace.nextDueMs(nowMs, this.#inFlight);
      if (Math.min(dueMs, nowMs) >= this.#endMs) {
        this.#stop();
        return;
      }
      if (dueMs > nowMs) {
        this.#wait(Math.min(dueMs, this.#endMs) - nowMs);
        return;
      }
      this.#pace.taken();
      this.#start(dueMs, nowMs);
    }
    this.#turn();
  };

  #wait(ms: number): void {
    this.#cancelWait();
    if (ms <= TIMER_SLACK_MS) this.#turn();
    else this.#cancelWait = this.#parts.clock.after(ms - TIMER_SLACK_MS, this.#pump);
  }

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    this.#parts.soon(() => {
      this.#turning = false;
      this.#pump();
    });
  }

  #start(dueMs: number, sentMs: number): void {
    const { recorder, call } = this.#parts;
    recorder.due(dueMs);
    if (this.#inFlight >= this.#pace.maxInFlight) {
      recorder.notSent(dueMs);
      return;
    }
    this.#inFlight++;
    void call(this.#calls++).then((end) => this.#ended(dueMs, sentMs, end));
  }

  #ended(dueMs: number, sentMs: number, end: CallEnd): void {
    const { firstMessageAtMs: firstAtMs } = end;
    const firstMessageMs = firstAtMs === undefined ? undefined : firstAtMs - this.#zeroMs;
    const times = { dueMs, sentMs, endMs: this.#nowMs(), firstMessageMs };
    this.#parts.recorder.ended(times, end);
    this.#inFlight--;
    if (this.#over) this.#finish();
    else if (this.#pace.waitsForCalls) this.#pump();
  }

  /** Starts no more calls. */
  #stop(): void {
    this.#over = true;
    this.#cancelWait();
    this.#finish();
  }

  #finish(): void {
    if (this.#inFlight > 0) return;
    this.#cancelWait();
    this.#parts.signal.removeEventListener("abort", this.#interrupt);
    this.#resolve({ measuredMs: this.#endMs, interrupted: this.#interrupted });
  }
}
