import type { Reason } from "../core/error-catalog.js";
import type { CancelTimer, Clock, Logger } from "../core/ports.js";
import type { ServingError } from "../core/serving-error.js";
import { traceContextOf } from "../core/trace-context.js";
import { requestIdOf } from "../processor/request-id.js";
import type { CallEnd, CallListener } from "./call-metrics.js";
import { isHostFailure } from "./host-failure.js";

/** What the lines of calls are written with. */
export interface CallLogOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Share of the calls that went well that get a line, 0 to 1. */
  readonly callLogRatio: number;
}

/** Writes a line for every call that failed, and for a share of those that went well. */
export interface CallLog extends CallListener {
  /** Says what is still unsaid and stops the timer. */
  close(): void;
}

/** Lines of failed calls in one second; the rest of that second is counted. */
export const MAX_LINES_A_SECOND = 100;

const SECOND_MS = 1_000;
const MAX_TEXT = 500;

/**
 * Makes the call log of a host.
 *
 * A call that the host or the processor failed is a warning, one that failed by its caller's own doing is information.
 * What `process` threw stands with its stack in a line of its own, which has the same `requestId`.
 */
export function createCallLog(options: CallLogOptions): CallLog {
  return new LineLog(options);
}

class LineLog implements CallLog {
  readonly everyCall: boolean;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #ratio: number;
  /** Grows by the ratio with each call that went well; a whole one is a line. */
  #due = 0;
  #secondEndsMs = 0;
  #lines = 0;
  readonly #suppressed = new Map<Reason, number>();
  #cancelTimer: CancelTimer | undefined;

  constructor({ logger, clock, callLogRatio }: CallLogOptions) {
    this.#logger = logger;
    this.#clock = clock;
    this.#ratio = callLogRatio;
    this.everyCall = callLogRatio > 0;
  }

  onEnd(end: CallEnd): void {
    if (end.error !== undefined) {
      this.#failed(end, end.error);
      return;
    }
    this.#due += this.#ratio;
    if (this.#due < 1) return;
    this.#due -= 1;
    this.#logger.info(fieldsOf(end), "call served");
  }

  close(): void {
    this.#tellSuppressed();
  }

  #failed(end: CallEnd, error: ServingError): void {
    const now = this.#clock.now();
    if (now >= this.#secondEndsMs) {
      this.#tellSuppressed();
      this.#secondEndsMs = now + SECOND_MS;
      this.#lines = 0;
    }
    if (this.#lines >= MAX_LINES_A_SECOND) {
      this.#suppress(error.reason, this.#secondEndsMs - now);
      return;
    }
    this.#lines++;
    const fields = {
      ...fieldsOf(end),
      reason: error.reason,
      message: error.message.slice(0, MAX_TEXT),
    };
    this.#logger[isHostFailure(error) ? "warn" : "info"](fields, "call failed");
  }

  #suppress(reason: Reason, leftMs: number): void {
    this.#suppressed.set(reason, (this.#suppressed.get(reason) ?? 0) + 1);
    this.#cancelTimer ??= this.#clock.after(leftMs, () => this.#tellSuppressed(), {
      background: true,
    });
  }

  #tellSuppressed(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#suppressed.size === 0) return;
    const reasons = Object.fromEntries(this.#suppressed);
    const calls = [...this.#suppressed.values()].reduce((sum, count) => sum + count, 0);
    this.#suppressed.clear();
    this.#logger.warn({ calls, reasons }, "lines of failed calls suppressed");
  }
}

function fieldsOf({ call, method, status, durationMs }: CallEnd): object {
  const trace = traceContextOf(call.metadata);
  return {
    door: call.door,
    method,
    ...(call.service === "" ? {} : { service: call.service.slice(0, 80) }),
    status,
    durationMs: Math.round(durationMs * 1_000) / 1_000,
    peer: call.peer,
    requestId: requestIdOf(call),
    ...(trace === undefined ? {} : { traceId: trace.traceId }),
  };
}
