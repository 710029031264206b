import type { LatencySummary } from "./latency.js";
import type { BenchSettings } from "./settings.js";

/** Calls that failed in one way. */
export interface BenchErrors {
  /** Name of the gRPC status. */
  readonly code: string;
  /** The catalogue's name. */
  readonly reason: string;
  /** What the first of them said. */
  readonly message: string;
  readonly calls: number;
}

/** Calls that went to one instance. */
export interface BenchInstance {
  /** `host:port`. */
  readonly instance: string;
  readonly calls: number;
  readonly failed: number;
}

/** The calls that were due within one second; their times in microseconds, 0 where none succeeded. */
export interface BenchSecond {
  readonly second: number;
  readonly calls: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly notSent: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What a run has measured. `scheduled` is `succeeded`, `failed` and `notSent` together. */
export interface Measured {
  readonly measuredS: number;
  readonly calls: {
    readonly scheduled: number;
    readonly succeeded: number;
    readonly failed: number;
    /** Due while too many were in progress. */
    readonly notSent: number;
  };
  readonly succeededPerSecond: number;
  /** Messages of answers. */
  readonly messages: number;
  /** Of messages, without what HTTP adds. */
  readonly bytes: { readonly sent: number; readonly received: number };
  /** Of calls that succeeded, from the moment in which each was due to its end. */
  readonly latencyUs: LatencySummary;
  /** The same to the first message of a stream; null for a unary method. */
  readonly firstMessageUs: LatencySummary | null;
  /** The same from the moment in which each was sent: without what calls waited for the generator. */
  readonly fromSendUs: LatencySummary;
  /** How late the generator itself has sent. */
  readonly latenessUs: LatencySummary;
  readonly curve: readonly (readonly [nines: number, us: number])[];
  readonly errors: readonly BenchErrors[];
  readonly instances: readonly BenchInstance[];
  readonly seconds: readonly BenchSecond[];
}

/** Where a run was made. */
export interface BenchEnvironment {
  readonly inferwire: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
}

/** A run, as `--json` and `--save` give it. */
export interface BenchResult extends Measured {
  readonly kind: typeof RESULT_KIND;
  readonly version: typeof RESULT_VERSION;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Whether it was ended before its time. */
  readonly interrupted: boolean;
  readonly settings: BenchSettings;
  readonly environment: BenchEnvironment;
  /** What makes the figures mean less than they seem to. */
  readonly warnings: readonly string[];
}

/** What tells a saved run from other JSON. */
export const RESULT_KIND = "inferwire bench";
/** Form of {@link BenchResult}. */
export const RESULT_VERSION = 1;
