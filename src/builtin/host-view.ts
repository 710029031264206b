/** Where a host is in its life. */
export type HostState = "starting" | "ready" | "draining" | "stopped";

/** Calls of one method that ended with one status. */
export interface MethodCounter {
  readonly door: string;
  /** `/package.Service/Method`, or the HTTP verb and route. */
  readonly method: string;
  /** Name of a gRPC status on gRPC doors, the HTTP status otherwise. */
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
  readonly state: "starting" | "ready" | "busy";
  readonly inFlight: number;
  readonly calls: number;
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
  /** Begins an orderly stop; `graceMs` undefined takes the host's own. Answers with the grace period in force. */
  stop(graceMs: number | undefined): number;
}
