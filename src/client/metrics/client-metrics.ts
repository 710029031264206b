import type { Reason } from "../../core/error-catalog.js";
import type { Snapshot } from "../../core/snapshot.js";
import { type StatusName, statusName } from "../../core/status.js";
import type { BucketCount, LatencyHistogram } from "../../metrics/latency-histogram.js";
import type { EjectionCause } from "../pool/ejection.js";
import type { PoolCounts } from "../pool/pool-counts.js";
import { type AttemptFate, ChannelMetrics, type MethodTotals } from "./channel-metrics.js";

export type { BucketCount };

/** How long calls took, from start to end with all their attempts. */
export interface CallDurations {
  /** Calls that have ended, however they did. */
  readonly count: number;
  /** All of them together, in milliseconds. */
  readonly sumMs: number;
  /** The longest, in milliseconds. */
  readonly maxMs: number;
  /** Upper bound of the bucket that half of the calls are in or below, in milliseconds; 0 before the first has ended. */
  readonly p50Ms: number;
  /** The same of 99 %. */
  readonly p99Ms: number;
  /** For every bound of gRFC A66, ascending, how many calls took no longer; those that took longer than the last are in none. */
  readonly buckets: readonly BucketCount[];
}

/** How many calls ended in one way. */
export interface EndedCalls {
  readonly code: StatusName;
  /** The catalogue's name for what happened; undefined when the call ended well. */
  readonly reason: Reason | undefined;
  readonly count: number;
}

/** What calls of one method have gone through. */
export interface MethodMetrics {
  /** `package.Service/Method`; `predict` for calls over HTTP. */
  readonly method: string;
  /** Calls that have begun. */
  readonly started: number;
  /** Calls that have ended, by how; the ways that have been seen. */
  readonly ended: readonly EndedCalls[];
  readonly durations: CallDurations;
  /** Attempts that have ended, by what became of them. */
  readonly attempts: Readonly<Record<AttemptFate, number>>;
  /** Of these, those that were begun while another one of the same call was under way. */
  readonly hedges: Readonly<Record<AttemptFate, number>>;
}

/**
 * What a client has counted since its channel was opened, and how things stand now: numbers and texts, a copy that does not
 * change.
 */
export interface ClientMetrics {
  /** As the target names it. */
  readonly service: string;
  /** The methods that have been called. */
  readonly methods: readonly MethodMetrics[];
  /** Now. */
  readonly instances: PoolCounts;
  /** How often an instance was taken out of rotation, by why. */
  readonly ejections: Readonly<Record<EjectionCause, number>>;
  readonly retryBudget: {
    /** Retries and hedges that could be made now. */
    readonly left: number;
    /** Retries and hedges that were not made for want of them. */
    readonly refused: number;
  };
  readonly list: {
    /** Grows with every list; 0 before the first. */
    readonly version: number;
    /** Since its source last confirmed it, in milliseconds; undefined before the first. */
    readonly ageMs: number | undefined;
    /** True when the source has failed since, and before the first list. */
    readonly stale: boolean;
  };
}

/** What {@link clientMetricsFrom} reads. */
export interface MetricsGround {
  readonly service: string;
  readonly metrics: ChannelMetrics;
  readonly instances: PoolCounts;
  readonly retryBudget: ClientMetrics["retryBudget"];
  /** Undefined before the first. */
  readonly snapshot: Snapshot | undefined;
  readonly nowMs: number;
}

/** Reads what has been counted. */
export function clientMetricsFrom(ground: MetricsGround): ClientMetrics {
  const { service, metrics, instances, retryBudget, snapshot, nowMs } = ground;
  return {
    service,
    methods: [...metrics.methods].map(([method, totals]) => methodMetrics(method, totals)),
    instances,
    ejections: { ...metrics.ejections },
    retryBudget,
    list: {
      version: snapshot?.version ?? 0,
      ageMs: snapshot === undefined ? undefined : Math.max(0, nowMs - snapshot.confirmedAtMs),
      stale: snapshot?.stale ?? true,
    },
  };
}

const noInstances: PoolCounts = {
  listed: 0,
  weighted: 0,
  usable: 0,
  connected: 0,
  joining: 0,
  ejected: 0,
  notServing: 0,
  unreachable: 0,
};

/** The numbers of a client that has not been opened yet. */
export function noClientMetrics(service: string): ClientMetrics {
  return clientMetricsFrom({
    service,
    metrics: new ChannelMetrics(),
    instances: noInstances,
    retryBudget: { left: 0, refused: 0 },
    snapshot: undefined,
    nowMs: 0,
  });
}

function methodMetrics(method: string, totals: MethodTotals): MethodMetrics {
  const { started, succeeded, failed, durations, attempts, hedges } = totals;
  const failures = [...failed].flatMap(([code, reasons]) =>
    [...reasons].map(([reason, count]) => ({ code: statusName(code), reason, count })),
  );
  return {
    method,
    started,
    ended: [{ code: "OK", reason: undefined, count: succeeded }, ...failures],
    durations: callDurations(durations),
    attempts: { ...attempts },
    hedges: { ...hedges },
  };
}

function callDurations(histogram: LatencyHistogram): CallDurations {
  const { count, sumMs, maxMs } = histogram;
  return {
    count,
    sumMs,
    maxMs,
    p50Ms: histogram.quantile(0.5),
    p99Ms: histogram.quantile(0.99),
    buckets: histogram.cumulative(),
  };
}
