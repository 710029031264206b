import type { CallAbort } from "../core/call-abort.js";
import type { DoorName } from "../core/invocation.js";
import type { MetadataView } from "../core/metadata.js";
import type { CpuProfiler } from "./cpu-profiler.js";
import type { SampleStore } from "./sample-store.js";

/**
 * Where a host is in its life: the one state that health, readiness and `ping` answer from. It takes calls when it is
 * `ready`; `unready` is a host that was, and has lost too many lanes.
 */
export type HostState = "starting" | "warming" | "ready" | "unready" | "draining" | "stopped";

/** Calls of one method that ended with one status. */
export interface MethodCounter {
  readonly door: string;
  /** `/package.Service/Method`, or the HTTP verb and route. */
  readonly method: string;
  /** The HTTP status by EAS's door, the name of a gRPC status by every other. */
  readonly status: string;
  readonly count: number;
  /** Latency from the arrival of the headers to the answer, in milliseconds. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Load of one lane. */
export interface LaneLoad {
  readonly kind: string;
  readonly index: number;
  /** `starting`, `ready`, `busy`, `mute`, `unready`, `stuck`, `dead`. */
  readonly state: string;
  readonly inFlight: number;
  readonly calls: number;
  /** Times the lane was replaced. */
  readonly restarts: number;
}

/** Load of a host at one moment. */
export interface HostLoad {
  readonly methods: readonly MethodCounter[];
  readonly queueLength: number;
  readonly queueBytes: number;
  readonly inFlight: number;
  readonly lanes: readonly LaneLoad[];
  readonly connections: number;
  /** 99th percentile of the event loop's delay since the last look, in milliseconds. */
  readonly eventLoopDelayP99Ms: number;
}

/** One setting of a running host, or one of the processor's own. */
export interface PropertyView {
  readonly name: string;
  /** As text; secrets are masked. */
  readonly value: string;
  /** Whether it can be changed while the host runs. */
  readonly mutable: boolean;
  /** What it does, with its unit and range, in one line. */
  readonly help: string;
}

/** Who calls a function through the builtin `call`. */
export interface FunctionCaller {
  readonly door: DoorName;
  readonly metadata: MetadataView;
  /** `address:port`. */
  readonly peer: string;
  /** On the host's clock; Infinity without one. */
  readonly deadlineMs: number;
  /** Aborted when the caller goes away. */
  readonly abort: CallAbort;
}

/** One open connection. */
export interface ConnectionView {
  /** `address:port` of the caller. */
  readonly peer: string;
  /** `grpc`, `http`, or `undecided` before its first bytes. */
  readonly protocol: string;
  readonly openMs: number;
}

/** One of the last calls that failed. */
export interface RecentError {
  readonly atMs: number;
  readonly door: string;
  readonly method: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** What the builtins see of their host. */
export interface HostView {
  /** Empty when the host serves no named service. */
  readonly service: string;
  /** Stable name of the instance. */
  readonly instance: string;
  /** Version of the kit. */
  readonly version: string;
  readonly state: HostState;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  nowMs(): number;
  load(): HostLoad;
  /** All properties, by name, ascending. */
  properties(): readonly PropertyView[];
  /**
   * Sets properties, all of them or none; answers with those that were set.
   *
   * @throws HostError `UNKNOWN_PROPERTY`, `PROPERTY_REFUSED`.
   */
  setProperties(values: ReadonlyMap<string, string>): readonly PropertyView[];
  /** Runs a function that the processor registered, in a lane. @throws HostError `UNKNOWN_FUNCTION`, what calls throw. */
  runFunction(name: string, data: Uint8Array, caller: FunctionCaller): Promise<Uint8Array>;
  /** Hands a message to the processor in every lane; tells how many lanes. */
  tell(message: Uint8Array): number;
  /** Samples that `realtime_metrics` may take: name to help. */
  readonly declaredMetrics: ReadonlyMap<string, string>;
  /** What `realtime_metrics` has taken. */
  readonly samples: SampleStore;
  /** Records what the host's thread computes, for `eastool`. */
  readonly profiler: CpuProfiler;
  /** Options in force, secrets masked. */
  config(): Readonly<Record<string, unknown>>;
  /** Everything the port answers. */
  routes(): readonly string[];
  connections(): readonly ConnectionView[];
  /** The last calls that failed, newest first. */
  recentErrors(): readonly RecentError[];
  /** Begins an orderly stop; `graceMs` undefined takes the host's own. Answers with the grace period in force. */
  stop(graceMs: number | undefined): number;
}
