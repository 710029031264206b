import { hostname } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { HostLoad, HostState, HostView } from "../builtin/host-view.js";
import { builtins } from "../builtin/registry.js";
import { isLoopback } from "../core/endpoint.js";
import { addressText, instanceOf } from "../core/instance.js";
import { type Invocation, isSequence, type Outcome } from "../core/invocation.js";
import { type Clock, type Logger, systemClock } from "../core/ports.js";
import { type ServingError, servingError } from "../core/serving-error.js";
import { TimeLimit } from "../core/time-limit.js";
import { builtinRoutes } from "../door/builtin-grpc.js";
import { BUILTIN_PREFIX } from "../door/builtin-http.js";
import type { Invoker } from "../door/invoker.js";
import { predictRoutes } from "../door/predict-door.js";
import { createInlineLane } from "../lane/inline-lane.js";
import type { Lane } from "../lane/lane.js";
import type { ProcessorShape } from "../processor/processor.js";
import { createRunner } from "../processor/runner.js";
import { createLogger } from "../server/logger.js";
import { openPort, type Port } from "../server/port.js";
import { createAccess } from "./access.js";
import { type Admission, createAdmission, type Release } from "./admission.js";
import { type CallMetrics, createCallMetrics } from "./call-metrics.js";
import { type HostOptions, type ResolvedHostOptions, resolveHostOptions } from "./host-options.js";
import { createStateCell } from "./host-state.js";
import { createHttpRoutes } from "./http-routes.js";
import type { Registration } from "./registration.js";
import { KIT_VERSION } from "./version.js";

/** A running host. */
export interface ProcessorHost extends AsyncDisposable {
  readonly state: HostState;
  /** What was bound: port 0 has become a number. */
  readonly address: { readonly host: string; readonly port: number };
  /** Resolves when the host has stopped, whoever stopped it. */
  readonly closed: Promise<void>;
  /**
   * Stops in order: not ready, deregistered, drained, disposed. Idempotent; resolves when everything is over.
   *
   * @param options - `gracePeriodMs`: how long calls in progress may go on; the host's `terminationGracePeriodMs` when
   * left out. What is left then ends with UNAVAILABLE.
   */
  close(options?: { readonly gracePeriodMs?: number | undefined }): Promise<void>;
}

/** Starts a host with the engine in place; `start-host.ts` is the way in that loads it. */
export async function startProcessorHost(
  processor: ProcessorShape,
  options?: HostOptions,
): Promise<ProcessorHost> {
  const resolved = resolveHostOptions(options);
  const logger = resolved.logger ?? createLogger(resolved.logLevel);
  const host = new RunningHost(processor, resolved, { clock: systemClock, logger });
  await host.start();
  return host;
}

/** Time between the answer of the last aborted call and the break of its connection. */
const FLUSH_MS = 250;

class RunningHost implements ProcessorHost, HostView, Invoker {
  readonly clock: Clock;
  readonly version: string = KIT_VERSION;
  readonly service: string;
  readonly requestTime: TimeLimit;
  readonly startedAtMs: number;
  readonly #options: ResolvedHostOptions;
  readonly #logger: Logger;
  readonly #state = createStateCell();
  readonly #lane: Lane;
  readonly #admission: Admission;
  readonly #metrics: CallMetrics = createCallMetrics();
  readonly #eventLoopDelay = monitorEventLoopDelay({ resolution: 20 });
  /** Calls that wait or run. */
  readonly #accepted = new Set<Invocation>();
  readonly #initialising = new AbortController();
  #calls = 0;
  #port: Port | undefined;
  #registration: Registration | undefined;
  #closing: Promise<void> | undefined;
  #refusing = false;
  readonly closed: Promise<void>;
  #markClosed: () => void = () => {};

  constructor(
    processor: ProcessorShape,
    options: ResolvedHostOptions,
    ports: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.clock = ports.clock;
    this.#logger = ports.logger;
    this.#options = options;
    this.service = options.service;
    this.requestTime = new TimeLimit(options.requestTimeoutMs, this.clock);
    this.startedAtMs = this.clock.now();
    this.#admission = createAdmission({ ...options, maxRunning: options.workerThreads });
    this.#lane = createInlineLane(
      createRunner(processor, {
        context: {
          lane: { kind: "inline", index: 0, count: 1 },
          service: options.service,
          logger: ports.logger,
          signal: this.#initialising.signal,
        },
        clock: this.clock,
        logger: ports.logger,
        exposeErrors: options.exposeErrors,
      }),
    );
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  get state(): HostState {
    return this.#state.current;
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#port?.address ?? this.#options.endpoint;
  }

  get instance(): string {
    return this.#options.name || `${hostname()}:${this.address.port}`;
  }

  nowMs(): number {
    return this.clock.now();
  }

  async start(): Promise<void> {
    const logger = this.#logger;
    logger.info({ service: this.service || "(unnamed)", version: this.version }, "service created");
    this.#port = await this.#bind();
    this.#announceRoutes();
    this.#eventLoopDelay.enable();
    try {
      await this.#lane.start();
    } catch (thrown) {
      this.#state.move("stopped");
      await this.#port.close();
      this.#end();
      throw thrown;
    }
    if (this.#closing !== undefined) {
      await this.#closing;
      await this.#dispose();
      throw servingError("DRAINING", "the host was closed before it was ready");
    }
    logger.info({ kind: "inline", workerThreads: this.#options.workerThreads }, "lane ready");
    this.#state.move("ready");
    await this.#register(this.#port);
    logger.info({ address: addressText(this.address.host, this.address.port) }, "service started");
  }

  async #bind(): Promise<Port> {
    const { endpoint, tls, limits, otherPaths, token } = this.#options;
    const rpcRoutes = [...predictRoutes(this), ...builtinRoutes(this)];
    const port = await openPort({
      endpoint,
      tls,
      limits,
      rpcRoutes,
      http: createHttpRoutes({
        view: this,
        invoker: this,
        rpcPaths: new Set(rpcRoutes.map((route) => route.path)),
        otherPaths,
      }),
      authorize: createAccess(this.#options),
      clock: this.clock,
      logger: this.#logger,
    });
    const address = addressText(port.address.host, port.address.port);
    this.#logger.info({ address, tls: tls !== undefined }, "port bound");
    if (token === undefined && !isLoopback(endpoint.host)) {
      this.#logger.warn(
        { address },
        "bound beyond loopback without a token: anybody who reaches it may call it",
      );
    }
    return port;
  }

  #announceRoutes(): void {
    for (const { name, available } of builtins) {
      const path = BUILTIN_PREFIX + name;
      this.#logger.info({ path }, available ? "builtin installed" : "builtin not in this version");
    }
  }

  // The outbound half of the engine is loaded only where there is a directory to talk to.
  async #register(port: Port): Promise<void> {
    const { advertised, directories, directoryToken, directoryTls, weight, app } = this.#options;
    if (advertised === undefined) return;
    const { createRegistration } = await import("./registration.js");
    this.#registration = createRegistration({
      directories,
      token: directoryToken,
      tls: directoryTls,
      service: this.service,
      instance: instanceOf({
        name: this.instance,
        host: advertised.ip,
        port: advertised.port ?? port.address.port,
        weight,
        app,
      }),
      leaseTtlMs: this.#options.leaseTtlMs,
      clock: this.clock,
      random: Math.random,
      logger: this.#logger,
    });
    this.#registration.start();
  }

  series(door: "grpc" | "eas", method: string): ReturnType<CallMetrics["series"]> {
    return this.#metrics.series(door, method);
  }

  async invoke(invocation: Invocation): Promise<Outcome> {
    const refusal = this.#refusal(invocation);
    if (refusal !== undefined) throw refusal;
    this.#accepted.add(invocation);
    let leave: Release | undefined;
    try {
      const entering = this.#admission.enter(invocation);
      leave = entering instanceof Promise ? await entering : entering;
      this.#calls++;
      const outcome = await this.#lane.run(invocation);
      if (isSequence(outcome.payloads))
        return this.#untilRead(invocation, outcome, outcome.payloads, leave);
      this.#left(invocation, leave);
      return outcome;
    } catch (thrown) {
      this.#left(invocation, leave);
      throw thrown;
    }
  }

  #left(invocation: Invocation, leave: Release | undefined): void {
    this.#accepted.delete(invocation);
    leave?.();
  }

  /** A call that answers in pieces is in progress until its last piece, or until nobody reads on. */
  #untilRead(
    invocation: Invocation,
    outcome: Outcome,
    pieces: AsyncIterable<Uint8Array>,
    leave: Release,
  ): Outcome {
    const left = (): void => this.#left(invocation, leave);
    return {
      payloads: endingWith(pieces, left),
      status: outcome.status,
      get headers() {
        return outcome.headers;
      },
      get trailers() {
        return outcome.trailers;
      },
    };
  }

  #refusal(invocation: Invocation): ServingError | undefined {
    if (this.#refusing) return servingError("DRAINING", "the host is stopping");
    if (this.state === "starting") return servingError("NOT_READY", "the host is still starting");
    const { service } = invocation;
    if (service !== "" && this.service !== "" && service !== this.service) {
      return servingError(
        "UNKNOWN_SERVICE",
        `no service ${JSON.stringify(service.slice(0, 80))} is hosted here, expected "${this.service}"`,
      );
    }
    return undefined;
  }

  load(): HostLoad {
    const { running, queueLength, queueBytes } = this.#admission;
    const state = this.state === "starting" ? "starting" : running > 0 ? "busy" : "ready";
    const delay = this.#eventLoopDelay.percentile(99) / 1e6;
    this.#eventLoopDelay.reset();
    return {
      methods: this.#metrics.read(),
      queueLength,
      queueBytes,
      inFlight: running,
      lanes: [{ kind: this.#lane.kind, index: 0, state, inFlight: running, calls: this.#calls }],
      connections: this.#port?.connections ?? 0,
      eventLoopDelayP99Ms: delay,
    };
  }

  stop(graceMs: number | undefined): number {
    const gracePeriodMs = graceMs ?? this.#options.terminationGracePeriodMs;
    this.close({ gracePeriodMs }).catch((err: unknown) =>
      this.#logger.error({ err }, "stop failed"),
    );
    return gracePeriodMs;
  }

  close(options: { readonly gracePeriodMs?: number | undefined } = {}): Promise<void> {
    this.#closing ??= this.#shutDown(
      options.gracePeriodMs ?? this.#options.terminationGracePeriodMs,
    );
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(graceMs: number): Promise<void> {
    if (this.state === "stopped") return;
    const { preStopDelayMs } = this.#options;
    this.#logger.info({ graceMs, calls: this.#accepted.size }, "stopping");
    const wasReady = this.state === "ready";
    this.#state.move("draining");
    this.#initialising.abort(servingError("DRAINING", "the host is stopping"));
    await this.#registration?.stop();
    if (preStopDelayMs > 0) await this.#wait(preStopDelayMs);
    this.#refusing = true;
    const cancelAbort = this.clock.after(graceMs, () => this.#abortRest());
    await this.#port?.drain(graceMs + FLUSH_MS);
    cancelAbort();
    if (wasReady) await this.#dispose();
    this.#state.move("stopped");
    this.#logger.info({}, "stopped");
    this.#end();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, resolve);
    });
  }

  #abortRest(): void {
    this.#logger.warn(
      { calls: this.#accepted.size },
      "grace period over: aborting calls in progress",
    );
    const reason = servingError("ABORTED_BY_STOP", "the host stopped before the call ended");
    for (const invocation of [...this.#accepted]) invocation.giveUp(reason);
  }

  async #dispose(): Promise<void> {
    try {
      await this.#lane.close();
    } catch (err) {
      this.#logger.error({ err }, "dispose() threw");
    }
  }

  #end(): void {
    this.#eventLoopDelay.disable();
    this.requestTime.close();
    this.#markClosed();
  }
}

async function* endingWith(
  pieces: AsyncIterable<Uint8Array>,
  ended: () => void,
): AsyncIterable<Uint8Array> {
  try {
    yield* pieces;
  } finally {
    ended();
  }
}
