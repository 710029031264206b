import { monitorEventLoopDelay } from "node:perf_hooks";
import { type CpuProfiler, createCpuProfiler } from "../builtin/cpu-profiler.js";
import type {
  ConnectionView,
  FunctionCaller,
  HostLoad,
  HostState,
  HostView,
  PropertyView,
  RecentError,
} from "../builtin/host-view.js";
import { createSampleStore, type SampleStore } from "../builtin/sample-store.js";
import type { Clock } from "../core/ports.js";
import type { LanePool } from "../lane/lane-pool.js";
import type { Port } from "../server/port.js";
import type { CallIntake } from "./call-intake.js";
import { runFunction } from "./function-call.js";
import { hostConfigView } from "./host-config-view.js";
import type { ResolvedHostOptions } from "./host-options.js";
import type { HostProperties } from "./host-properties.js";
import type { RecentErrors } from "./recent-errors.js";
import { KIT_VERSION } from "./version.js";

/** What of a host changes while it runs. */
export interface ReportedHost {
  readonly state: HostState;
  readonly instance: string;
  /** What was bound, or is to be. */
  readonly address: { readonly host: string; readonly port: number };
  /** Undefined before it is bound. */
  readonly boundPort: Port | undefined;
  /** Everything the port answers. */
  readonly routes: readonly string[];
  /** See {@link HostView.stop}. */
  stop(graceMs: number | undefined): number;
}

/** The parts of a host that its builtins see. */
export interface HostParts {
  readonly options: ResolvedHostOptions;
  readonly clock: Clock;
  readonly host: ReportedHost;
  readonly pool: LanePool;
  readonly intake: CallIntake;
  readonly properties: HostProperties;
  readonly recentErrors: RecentErrors;
}

/** A host as its builtins see it. */
export class HostReport implements HostView {
  readonly version: string = KIT_VERSION;
  readonly service: string;
  readonly startedAtMs: number;
  readonly declaredMetrics: ReadonlyMap<string, string>;
  readonly samples: SampleStore;
  readonly profiler: CpuProfiler;
  readonly #parts: HostParts;
  readonly #eventLoopDelay = monitorEventLoopDelay({ resolution: 20 });

  constructor(parts: HostParts) {
    const { clock, options } = parts;
    this.#parts = parts;
    this.service = options.service;
    this.declaredMetrics = options.metrics;
    this.startedAtMs = clock.now();
    this.samples = createSampleStore({ clock });
    this.profiler = createCpuProfiler(clock);
  }

  /** Begins to watch the event loop. */
  open(): void {
    this.#eventLoopDelay.enable();
  }

  close(): void {
    this.#eventLoopDelay.disable();
  }

  get state(): HostState {
    return this.#parts.host.state;
  }

  get instance(): string {
    return this.#parts.host.instance;
  }

  nowMs(): number {
    return this.#parts.clock.now();
  }

  load(): HostLoad {
    const { intake, pool, host } = this.#parts;
    const { running, queueLength, queueBytes } = intake.admission;
    const delay = this.#eventLoopDelay.percentile(99) / 1e6;
    this.#eventLoopDelay.reset();
    return {
      methods: intake.metrics.read(),
      queueLength,
      queueBytes,
      inFlight: running,
      lanes: pool.load,
      connections: host.boundPort?.connections ?? 0,
      eventLoopDelayP99Ms: delay,
    };
  }

  properties(): readonly PropertyView[] {
    return this.#parts.properties.list();
  }

  setProperties(values: ReadonlyMap<string, string>): readonly PropertyView[] {
    return this.#parts.properties.set(values);
  }

  runFunction(name: string, data: Uint8Array, caller: FunctionCaller): Promise<Uint8Array> {
    return runFunction(this.#parts.intake, name, data, caller);
  }

  tell(message: Uint8Array): number {
    return this.#parts.pool.tell(message);
  }

  config(): Readonly<Record<string, unknown>> {
    const { options, host } = this.#parts;
    return hostConfigView(options, host);
  }

  routes(): readonly string[] {
    return this.#parts.host.routes;
  }

  connections(): readonly ConnectionView[] {
    return this.#parts.host.boundPort?.listConnections() ?? [];
  }

  recentErrors(): readonly RecentError[] {
    return this.#parts.recentErrors.list();
  }

  stop(graceMs: number | undefined): number {
    return this.#parts.host.stop(graceMs);
  }
}
