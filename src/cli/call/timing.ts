import type { Clock } from "../../core/ports.js";
import type { AttemptOutcome, AttemptReport, CallReport } from "../../core/serving-error.js";
import { statusName } from "../../core/status.js";

/** Where the time of a call went, in milliseconds. */
export interface CallTiming {
  /** Waiting for the first list of instances. */
  readonly resolveMs: number;
  /** Until the attempt that decided had a connection. */
  readonly connectMs: number;
  /** From there, with earlier attempts, to the first answer. */
  readonly waitMs: number;
  /** From the first answer to the end; 0 for a single answer, which comes whole. */
  readonly transferMs: number;
  readonly totalMs: number;
}

/** Watches one call from outside, for what its report does not know. */
export class CallStopwatch {
  readonly #clock: Clock;
  readonly #createdMs: number;
  #resolveMs = 0;
  #startedMs: number;
  #firstMs: number | undefined;
  #report: CallReport | undefined;

  /** Looking for instances begins. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#createdMs = clock.now();
    this.#startedMs = this.#createdMs;
  }

  /** Takes the call's report. */
  readonly onReport = (report: CallReport): void => {
    this.#report = report;
  };

  /** What the call went through; undefined while it goes on. */
  get report(): CallReport | undefined {
    return this.#report;
  }

  /** There is a list of instances. */
  resolved(): void {
    this.#resolveMs = this.#clock.now() - this.#createdMs;
  }

  /** The call begins; what came before, such as reflection, is no part of it. */
  begin(): void {
    this.#startedMs = this.#clock.now();
  }

  /** An answer has come. */
  answered(): void {
    this.#firstMs ??= this.#clock.now();
  }

  /** Where the time went until now. */
  timing(): CallTiming {
    const now = this.#clock.now();
    const callMs = now - this.#startedMs;
    const transferMs = now - (this.#firstMs ?? now);
    const connectMs = this.#report === undefined ? 0 : (decidedBy(this.#report)?.connectMs ?? 0);
    const waitMs = Math.max(0, callMs - connectMs - transferMs);
    return {
      resolveMs: rounded(this.#resolveMs),
      connectMs: rounded(connectMs),
      waitMs: rounded(waitMs),
      transferMs: rounded(transferMs),
      totalMs: rounded(this.#resolveMs + callMs),
    };
  }
}

/** To a microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

/** A line for people: instance, attempts and timing. */
export function timingText(report: CallReport, timing: CallTiming): string {
  const { attempts } = report;
  const { resolveMs, connectMs, waitMs, transferMs, totalMs } = timing;
  const where = decidedBy(report)?.instance ?? "no instance";
  const count = attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`;
  const parts = [
    ["resolve", resolveMs],
    ["connect", connectMs],
    ["wait", waitMs],
    ["transfer", transferMs],
  ] as const;
  const spent = parts.map(([name, ms]) => `${name} ${whole(ms)}`).join(", ");
  const failed = attempts.filter(({ reason }) => reason !== undefined).map(attemptText);
  return [`${where}, ${count}, ${whole(totalMs)} ms (${spent})`, ...failed].join("; ");
}

/** The attempt that was the call's end, or the latest one when none was. */
function decidedBy({ attempts }: CallReport): AttemptReport | undefined {
  const decided = attempts.findLast(
    ({ outcome }) => outcome !== "overtaken" && outcome !== "repeated",
  );
  return decided ?? attempts.at(-1);
}

/** Why there was no other attempt, where that is worth a word. */
const whyNoOther: { readonly [K in AttemptOutcome]?: string } = {
  "not-safe-to-repeat": "not repeated: it may have been done (--idempotent if that is harmless)",
  "attempts-used-up": "not repeated: no attempt was left",
  "budget-empty": "not repeated: the retry budget was empty",
  "no-time-left": "not repeated: no time was left",
  "server-said-no": "not repeated: the instance said so",
  "answer-begun": "not repeated: its answer had begun",
  "request-not-kept": "not repeated: its request was too large to be kept",
};

function attemptText({ instance, code, reason, durationMs, outcome }: AttemptReport): string {
  const after = `after ${whole(durationMs)} ms`;
  if (outcome === "overtaken") return `${instance} overtaken ${after}`;
  const status = code === undefined ? "unended" : statusName(code);
  const why = whyNoOther[outcome];
  const failed = `${instance} failed with ${status} (${reason}) ${after}`;
  return why === undefined ? failed : `${failed}, ${why}`;
}

function whole(ms: number): number {
  return Math.round(ms);
}
