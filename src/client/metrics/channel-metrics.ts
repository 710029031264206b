import type { Reason } from "../../core/error-catalog.js";
import type { AttemptOutcome } from "../../core/serving-error.js";
import { Status } from "../../core/status.js";
import { LatencyHistogram } from "../../metrics/latency-histogram.js";
import type { AttemptEnd } from "../../transport/transport.js";
import type { MethodPolicy } from "../method-table.js";
import type { EjectionCause } from "../pool/ejection.js";

/** How an attempt that is over can have gone. */
export type AttemptFate = Exclude<AttemptOutcome, "under-way">;

/** What has been counted of one method. */
export class MethodTotals {
  started = 0;
  /** Calls that ended well. */
  succeeded = 0;
  /** The others, by code and reason. */
  readonly failed: Map<Status, Map<Reason | undefined, number>> = new Map();
  readonly durations: LatencyHistogram = new LatencyHistogram();
  readonly attempts: Record<AttemptFate, number> = noAttempts();
  /** Of these, those that were begun while another one was under way. */
  readonly hedges: Record<AttemptFate, number> = noAttempts();

  fail(code: Status, reason: Reason | undefined): void {
    const reasons = this.failed.get(code) ?? new Map<Reason | undefined, number>();
    this.failed.set(code, reasons);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
}

/**
 * Counts what the calls of a channel go through; told in passing, so that a call pays next to nothing for it.
 *
 * Counts by the `series` of a method, of which there are no more than methods, and by words of the kit: nothing that a server or
 * a caller says makes a new number.
 */
export class ChannelMetrics {
  readonly methods: Map<string, MethodTotals> = new Map();
  readonly ejections: Record<EjectionCause, number> = {
    failures: 0,
    "failure-ratio": 0,
    latency: 0,
    silence: 0,
  };

  /** A call has begun. */
  callStarted(method: MethodPolicy): void {
    this.#of(method).started++;
  }

  /** A call has ended. */
  callEnded(method: MethodPolicy, { code, reason }: AttemptEnd, durationMs: number): void {
    const totals = this.#of(method);
    totals.durations.add(durationMs);
    if (code === Status.OK) totals.succeeded++;
    else totals.fail(code, reason);
  }

  /** An attempt has ended. */
  attemptEnded(method: MethodPolicy, outcome: AttemptFate, hedge: boolean): void {
    const { attempts, hedges } = this.#of(method);
    attempts[outcome]++;
    if (hedge) hedges[outcome]++;
  }

  /** An instance has been taken out of rotation. */
  ejected(cause: EjectionCause): void {
    this.ejections[cause]++;
  }

  #of({ series }: MethodPolicy): MethodTotals {
    const known = this.methods.get(series);
    if (known !== undefined) return known;
    const totals = new MethodTotals();
    this.methods.set(series, totals);
    return totals;
  }
}

/** None of any fate. */
export function noAttempts(): Record<AttemptFate, number> {
  return {
    answered: 0,
    repeated: 0,
    "left-to-others": 0,
    overtaken: 0,
    "given-up": 0,
    "not-made": 0,
    "not-safe-to-repeat": 0,
    "attempts-used-up": 0,
    "budget-empty": 0,
    "no-time-left": 0,
    "server-said-no": 0,
    "answer-begun": 0,
    "request-not-kept": 0,
  };
}
