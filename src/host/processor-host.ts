import { hostname } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { HostLoad, HostState, HostView } from "../builtin/host-view.js";
import { builtins } from "../builtin/registry.js";
import { isLoopback } from "../core/endpoint.js";
import { addressText, instanceOf } from "../core/instance.js";
import { type Clock, type Logger, systemClock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { builtinRoutes } from "../door/builtin-grpc.js";
import { BUILTIN_PREFIX } from "../door/builtin-http.js";
import { predictRoutes } from "../door/predict-door.js";
import { createInlineLane } from "../lane/inline-lane.js";
import type { Lane } from "../lane/lane.js";
import type { ProcessorShape } from "../processor/processor.js";
import { createRunner } from "../processor/runner.js";
import { openPort, type Port } from "../server/port.js";
import { createAccess } from "./access.js";
import { CallIntake } from "./call-intake.js";
import type { ResolvedHostOptions } from "./host-options.js";
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

/** A host before it runs; `close` stops it at any time. */
export interface StartableHost extends ProcessorHost {
  /** Starts; resolves when the host is ready. */
  start(): Promise<void>;
}

/** Makes a host with the engine in place; `start-host.ts` is the way in that loads it. */
export function createProcessorHost(
  processor: ProcessorShape,
  options: ResolvedHostOptions,
  logger: Logger,
): StartableHost {
  return new RunningHost(processor, options, { clock: systemClock, logger });
}

/** Time between the answer of the last aborted call and the break of its connection. */
const FLUSH_MS = 250;

class RunningHost implements StartableHost, HostView {
  readonly version: string = KIT_VERSION;
  readonly service: string;
  readonly startedAtMs: number;
  readonly #options: ResolvedHostOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #state = createStateCell();
  readonly #lane: Lane;
  readonly #intake: CallIntake;
  readonly #eventLoopDelay = monitorEventLoopDelay({ resolution: 20 });
  readonly #initialising = new AbortController();
  #port: Port | undefined;
  #registration: Registration | undefined;
  #closing: Promise<void> | undefined;
  /** The grace period of the stop that is under way. */
  #graceMs = 0;
  readonly closed: Promise<void>;
  #markClosed: () => void = () => {};

  constructor(
    processor: ProcessorShape,
    options: ResolvedHostOptions,
    ports: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#options = options;
    this.service = options.service;
    this.startedAtMs = this.#clock.now();
    this.#lane = createInlineLane(
      createRunner(processor, {
        context: {
          lane: { kind: "inline", index: 0, count: 1 },
          service: options.service,
          logger: ports.logger,
          signal: this.#initialising.signal,
        },
        clock: this.#clock,
        logger: ports.logger,
        exposeErrors: options.exposeErrors,
      }),
    );
    this.#intake = new CallIntake(options, this.#lane, ports);
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
    const { name, advertised } = this.#options;
    if (name !== "") return name;
    const port = advertised?.port ?? this.address.port;
    // Two hosts of one machine may have the same port on different addresses.
    return advertised === undefined
      ? `${hostname()}:${port}`
      : `${hostname()}@${addressText(advertised.ip, port)}`;
  }

  nowMs(): number {
    return this.#clock.now();
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
      // A stop that came first has ended everything itself.
      if (this.#closing !== undefined) await this.#closing;
      else await this.#endUnstarted(this.#port);
      throw thrown;
    }
    logger.info({ kind: "inline", workerThreads: this.#options.workerThreads }, "lane ready");
    const registration = await this.#prepareRegistration(this.#port);
    if (this.#closing !== undefined) {
      await this.#closing;
      await this.#dispose();
      throw servingError("DRAINING", "the host was closed before it was ready");
    }
    this.#state.move("ready");
    this.#intake.open();
    this.#registration = registration;
    registration?.start();
    logger.info({ address: addressText(this.address.host, this.address.port) }, "service started");
  }

  async #endUnstarted(port: Port): Promise<void> {
    this.#state.move("stopped");
    await port.close();
    this.#stopClocks();
  }

  async #bind(): Promise<Port> {
    const { endpoint, tls, limits, otherPaths, token } = this.#options;
    const rpcRoutes = [...predictRoutes(this.#intake), ...builtinRoutes(this)];
    const port = await openPort({
      endpoint,
      tls,
      limits,
      rpcRoutes,
      http: createHttpRoutes({
        view: this,
        invoker: this.#intake,
        rpcPaths: new Set(rpcRoutes.map((route) => route.path)),
        otherPaths,
      }),
      authorize: createAccess(this.#options),
      clock: this.#clock,
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
  async #prepareRegistration(port: Port): Promise<Registration | undefined> {
    const { advertised, directories, directoryToken, directoryTls, weight, app } = this.#options;
    if (advertised === undefined) return undefined;
    const { createRegistration } = await import("./registration.js");
    return createRegistration({
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
      clock: this.#clock,
      random: Math.random,
      logger: this.#logger,
    });
  }

  load(): HostLoad {
    const { running, queueLength, queueBytes } = this.#intake.admission;
    const state = this.state === "starting" ? "starting" : running > 0 ? "busy" : "ready";
    const delay = this.#eventLoopDelay.percentile(99) / 1e6;
    this.#eventLoopDelay.reset();
    return {
      methods: this.#intake.metrics.read(),
      queueLength,
      queueBytes,
      inFlight: running,
      lanes: [
        { kind: this.#lane.kind, index: 0, state, inFlight: running, calls: this.#intake.calls },
      ],
      connections: this.#port?.connections ?? 0,
      eventLoopDelayP99Ms: delay,
    };
  }

  stop(graceMs: number | undefined): number {
    this.close({ gracePeriodMs: graceMs }).catch((err: unknown) =>
      this.#logger.error({ err }, "stop failed"),
    );
    return this.#graceMs;
  }

  close(options: { readonly gracePeriodMs?: number | undefined } = {}): Promise<void> {
    if (this.#closing === undefined) {
      this.#graceMs = options.gracePeriodMs ?? this.#options.terminationGracePeriodMs;
      this.#closing = this.#shutDown(this.#graceMs);
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(graceMs: number): Promise<void> {
    if (this.state === "stopped") return;
    const { preStopDelayMs } = this.#options;
    this.#logger.info({ graceMs, calls: this.#intake.accepted }, "stopping");
    const wasReady = this.state === "ready";
    this.#state.move("draining");
    this.#initialising.abort(servingError("DRAINING", "the host is stopping"));
    await this.#registration?.stop();
    if (preStopDelayMs > 0) await this.#wait(preStopDelayMs);
    this.#intake.refuse();
    const endMs = this.#clock.now() + graceMs;
    const cancelAbort = this.#clock.after(graceMs, () => this.#abortRest());
    await this.#port?.drain(graceMs + FLUSH_MS);
    // A caller that left leaves its process() running: dispose() waits for that too.
    await Promise.race([
      this.#intake.admission.idle(),
      this.#wait(Math.max(0, endMs - this.#clock.now())),
    ]);
    cancelAbort();
    if (wasReady) await this.#dispose();
    this.#state.move("stopped");
    this.#logger.info({}, "stopped");
    this.#stopClocks();
    this.#markClosed();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve, { background: true });
    });
  }

  #abortRest(): void {
    this.#logger.warn(
      { calls: this.#intake.accepted },
      "grace period over: aborting calls in progress",
    );
    this.#intake.giveUpAll(
      servingError("ABORTED_BY_STOP", "the host stopped before the call ended"),
    );
  }

  async #dispose(): Promise<void> {
    try {
      await this.#lane.close();
    } catch (err) {
      this.#logger.error({ err }, "dispose() threw");
    }
  }

  #stopClocks(): void {
    this.#eventLoopDelay.disable();
    this.#intake.close();
  }
}
