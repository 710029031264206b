import type { MethodCounter } from "../builtin/host-view.js";
import type { Reason } from "../core/error-catalog.js";
import type { Clock } from "../core/ports.js";
import type { ServingError } from "../core/serving-error.js";
import type { CallSeries, EndedCall } from "../door/invoker.js";
import { LatencyHistogram } from "../metrics/latency-histogram.js";

/** A call that has ended, as listeners are told of it. */
export interface CallEnd {
  readonly call: EndedCall;
  /** `/package.Service/Method`, or the HTTP verb and route. */
  readonly method: string;
  /** The HTTP status by EAS's door, the name of a gRPC status by every other. */
  readonly status: string;
  /** Why it failed; undefined when it went well. */
  readonly error: ServingError | undefined;
  /** From the arrival of the headers to the answer. */
  readonly durationMs: number;
}

/** Is told of calls as they end: the call log, the ring of recent errors. */
export interface CallListener {
  /** Whether it is told of calls that went well, too. */
  readonly everyCall: boolean;
  onEnd(end: CallEnd): void;
}

/** What has been counted of one method by one door. */
export interface MethodTotals {
  readonly door: string;
  readonly method: string;
  /** Whether the host answers it by itself (builtins, health), so that no processor has seen its calls. */
  readonly own: boolean;
  readonly started: number;
  /** Messages of calls of methods. */
  readonly received: number;
  readonly sent: number;
  /** Calls that ended without an error, and their time together in milliseconds. */
  readonly succeeded: number;
  readonly succeededMs: number;
  readonly byStatus: ReadonlyMap<string, LatencyHistogram>;
  readonly errors: ReadonlyMap<Reason, number>;
}

/** What has been counted of a host's calls. */
export interface CallTotals {
  readonly methods: readonly MethodTotals[];
  /** Errors of requests that belong to no method. */
  readonly otherErrors: ReadonlyMap<Reason, number>;
  /** How long calls ran in a lane. */
  readonly ran: LatencyHistogram;
  /** Time that calls waited before they ran, together, in milliseconds. */
  readonly queuedMs: number;
}

/**
 * Counts the calls of a host by door, method and status, with their latencies: the one store that is written while calls
 * are served. Whatever shows numbers reads it.
 */
export interface CallMetrics {
  /** The counters of a method that a processor answers; one for each door and method. */
  series(door: string, method: string): CallSeries;
  /** The counters of a method that the host answers by itself; one for each door and method. */
  ownSeries(door: string, method: string): CallSeries;
  /** A request has been refused before any door had it; counts for its method only where that has counters. */
  refused(call: EndedCall, method: string, status: string, error: ServingError): void;
  /** A call has been given a place in a lane, after so long; 0 at once. */
  queued(waitedMs: number): void;
  /** A lane has done with a call, after so long. */
  ran(ranMs: number): void;
  /** The processor's methods. */
  read(): readonly MethodCounter[];
  totals(): CallTotals;
}

/** Makes the counters of one host. */
export function createCallMetrics(
  clock: Clock,
  listeners: readonly CallListener[] = [],
): CallMetrics {
  return new StoredMetrics(clock, listeners);
}

class StoredMetrics implements CallMetrics {
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #all: MethodSeries[] = [];
  readonly #otherErrors = new Map<Reason, number>();
  readonly #ran = new LatencyHistogram();
  #queuedMs = 0;

  constructor(clock: Clock, listeners: readonly CallListener[]) {
    this.#clock = clock;
    this.#tell = new Tell(listeners);
  }

  series(door: string, method: string): CallSeries {
    return this.#add(door, method, false);
  }

  ownSeries(door: string, method: string): CallSeries {
    return this.#add(door, method, true);
  }

  #add(door: string, method: string, own: boolean): MethodSeries {
    const series = new MethodSeries({ door, method, own, clock: this.#clock, tell: this.#tell });
    this.#all.push(series);
    return series;
  }

  refused(call: EndedCall, method: string, status: string, error: ServingError): void {
    const series = this.#all.find((each) => each.door === call.door && each.method === method);
    if (series !== undefined) {
      series.started();
      series.ended(call, status, error);
      return;
    }
    countIn(this.#otherErrors, error.reason);
    const durationMs = this.#clock.now() - call.arrivedMs;
    this.#tell.ended({ call, method, status, error, durationMs });
  }

  queued(waitedMs: number): void {
    this.#queuedMs += waitedMs;
  }

  ran(ranMs: number): void {
    this.#ran.add(ranMs);
  }

  read(): readonly MethodCounter[] {
    return this.#all
      .filter(({ own }) => !own)
      .flatMap(({ door, method, byStatus }) =>
        [...byStatus].map(([status, histogram]) => counterOf(door, method, status, histogram)),
      );
  }

  totals(): CallTotals {
    return {
      methods: this.#all.map((series) => series.totals()),
      otherErrors: this.#otherErrors,
      ran: this.#ran,
      queuedMs: this.#queuedMs,
    };
  }
}

/** Tells listeners of the calls that they want to hear of. */
class Tell {
  readonly everyCall: boolean;
  readonly #listeners: readonly CallListener[];

  constructor(listeners: readonly CallListener[]) {
    this.#listeners = listeners;
    this.everyCall = listeners.some((listener) => listener.everyCall);
  }

  ended(end: CallEnd): void {
    for (const listener of this.#listeners) {
      if (end.error !== undefined || listener.everyCall) listener.onEnd(end);
    }
  }
}

interface SeriesParts {
  readonly door: string;
  readonly method: string;
  readonly own: boolean;
  readonly clock: Clock;
  readonly tell: Tell;
}

class MethodSeries implements CallSeries {
  readonly door: string;
  readonly method: string;
  readonly own: boolean;
  readonly byStatus: Map<string, LatencyHistogram> = new Map();
  readonly #errors = new Map<Reason, number>();
  readonly #clock: Clock;
  readonly #tell: Tell;
  #started = 0;
  #received = 0;
  #sent = 0;
  #succeeded = 0;
  #succeededMs = 0;

  constructor(parts: SeriesParts) {
    this.door = parts.door;
    this.method = parts.method;
    this.own = parts.own;
    this.#clock = parts.clock;
    this.#tell = parts.tell;
  }

  started(): void {
    this.#started++;
  }

  received(): void {
    this.#received++;
  }

  sent(): void {
    this.#sent++;
  }

  ended(call: EndedCall, status: string, error: ServingError | undefined): void {
    const durationMs = this.#clock.now() - call.arrivedMs;
    let histogram = this.byStatus.get(status);
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.byStatus.set(status, histogram);
    }
    histogram.add(durationMs);
    if (error === undefined) {
      this.#succeeded++;
      this.#succeededMs += durationMs;
      if (!this.#tell.everyCall) return;
    } else {
      countIn(this.#errors, error.reason);
      // A watch or a list ends by its caller's leaving, and nobody has failed.
      if (this.own && error.reason === "CANCELLED") return;
    }
    this.#tell.ended({ call, method: this.method, status, error, durationMs });
  }

  totals(): MethodTotals {
    return {
      door: this.door,
      method: this.method,
      own: this.own,
      started: this.#started,
      received: this.#received,
      sent: this.#sent,
      succeeded: this.#succeeded,
      succeededMs: this.#succeededMs,
      byStatus: this.byStatus,
      errors: this.#errors,
    };
  }
}

function countIn(counts: Map<Reason, number>, reason: Reason): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}

function counterOf(
  door: string,
  method: string,
  status: string,
  histogram: LatencyHistogram,
): MethodCounter {
  return {
    door,
    method,
    status,
    count: histogram.count,
    p50Ms: histogram.quantile(0.5),
    p90Ms: histogram.quantile(0.9),
    p99Ms: histogram.quantile(0.99),
    maxMs: histogram.maxMs,
  };
}
