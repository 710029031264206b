import { hostname } from "node:os";
import type { HostState } from "../builtin/host-view.js";
import { builtins } from "../builtin/registry.js";
import { addressText, instanceOf } from "../core/instance.js";
import { checkNumber } from "../core/options.js";
import { type Clock, type Logger, systemClock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { endedByStop, hostStopping } from "../core/stop-errors.js";
import { BUILTIN_PREFIX } from "../door/builtin-http.js";
import type { LanePool } from "../lane/lane-pool.js";
import { checkProcessor } from "../processor/check-processor.js";
import type { AnyProcessor } from "../processor/processor.js";
import { isLeveled } from "../server/logger.js";
import type { Port } from "../server/port.js";
import { CallIntake } from "./call-intake.js";
import { type CallLog, createCallLog } from "./call-log.js";
import { createCallMetrics } from "./call-metrics.js";
import { hostConfigView } from "./host-config-view.js";
import { createHostLanes } from "./host-lanes.js";
import type { ResolvedHostOptions } from "./host-options.js";
import { openHostPort } from "./host-port.js";
import { createHostProperties, type HostProperties } from "./host-properties.js";
import { HostReport, type ReportedHost } from "./host-report.js";
import { createStateCell } from "./host-state.js";
import { createLiveSettings } from "./live-settings.js";
import { createRecentErrors } from "./recent-errors.js";
import type { Registration } from "./registration.js";
import { hostNumberRanges } from "./resolve-host-options.js";
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
   * @throws ConfigError `INVALID_OPTION` for a grace period that is no number of milliseconds.
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
  processor: AnyProcessor,
  options: ResolvedHostOptions,
  logger: Logger,
): StartableHost {
  checkProcessor(processor);
  if (options.warmUp.length > 0 && processor.process === undefined) {
    throw servingError(
      "INVALID_OPTION",
      "options.warmUp replays payloads to process(), which a typed service does not have: warm it up in initialize()",
    );
  }
  return new RunningHost(processor, options, { clock: systemClock, logger });
}

/** Time between the answer of the last aborted call and the break of its connection. */
const FLUSH_MS = 250;

/** Time that lanes have to dispose of their processors at least, however long the drain took. */
const DISPOSE_MS = 2_000;

function closedTooSoon(): Error {
  return servingError("DRAINING", "the host was closed before it was ready");
}

class RunningHost implements StartableHost, ReportedHost {
  readonly #processor: AnyProcessor;
  readonly #options: ResolvedHostOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #state = createStateCell();
  readonly #callLog: CallLog;
  readonly #pool: LanePool;
  readonly #intake: CallIntake;
  readonly #properties: HostProperties;
  readonly #report: HostReport;
  readonly #initialising = new AbortController();
  #port: Port | undefined;
  #routes: readonly string[] = [];
  #registration: Registration | undefined;
  #closing: Promise<void> | undefined;
  /** The grace period of the stop that is under way. */
  #graceMs = 0;
  /** Called when enough lanes can take calls, or the host is closed. */
  #onEnoughLanes: () => void = () => {};
  readonly closed: Promise<void>;
  #markClosed: () => void = () => {};

  constructor(
    processor: AnyProcessor,
    options: ResolvedHostOptions,
    ports: { readonly clock: Clock; readonly logger: Logger },
  ) {
    const { clock, logger } = ports;
    this.#processor = processor;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#properties = createHostProperties({
      live: createLiveSettings(options, {
        setLimits: (limits) => this.#intake.admission.setLimits(limits),
        setCallsPerLane: (calls) => this.#pool.setCallsPerLane(calls),
        setWeight: (weight) => this.#registration?.setWeight(weight),
        logger: options.logger === undefined && isLeveled(logger) ? logger : undefined,
      }),
      ranges: hostNumberRanges,
      config: () => hostConfigView(options, this),
      own: processor.properties ?? {},
      applyOwn: (values) => this.#pool.setProperties(values),
    });
    this.#pool = createHostLanes(processor, options, {
      clock,
      logger,
      random: Math.random,
      signal: this.#initialising.signal,
      properties: this.#properties.own,
      warmingUp: () => this.#warmingUp(),
    });
    this.#callLog = createCallLog({ ...ports, callLogRatio: options.callLogRatio });
    const recentErrors = createRecentErrors(clock);
    const metrics = createCallMetrics(clock, [this.#callLog, recentErrors]);
    this.#intake = new CallIntake(options, this.#pool, { ...ports, random: Math.random, metrics });
    this.#report = new HostReport({
      options,
      clock,
      recentErrors,
      host: this,
      pool: this.#pool,
      intake: this.#intake,
      properties: this.#properties,
    });
    this.#pool.onReadyLanes(() => this.#judgeLanes());
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

  get boundPort(): Port | undefined {
    return this.#port;
  }

  get routes(): readonly string[] {
    return this.#routes;
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

  async start(): Promise<void> {
    const logger = this.#logger;
    const { service, notices, lane, lanes, callsPerLane } = this.#options;
    logger.info({ service: service || "(unnamed)", version: KIT_VERSION }, "service created");
    for (const notice of notices) logger.info({}, notice);
    const port = await this.#bind();
    if (this.#closing !== undefined) {
      await this.#closing;
      await port.close();
      throw closedTooSoon();
    }
    const paths = builtins.map(({ name }) => BUILTIN_PREFIX + name);
    logger.info({ paths }, "builtins installed");
    this.#report.open();
    try {
      await this.#pool.start();
    } catch (thrown) {
      // A stop that came first has ended everything itself.
      if (this.#closing !== undefined) await this.#closing;
      else await this.#endUnstarted(port);
      throw thrown;
    }
    if (this.#closing === undefined)
      logger.info({ kind: lane, lanes, callsPerLane }, "lanes ready");
    const registration = await this.#prepareRegistration(port);
    await this.#lanesSuffice();
    if (this.#closing !== undefined) {
      await this.#closing;
      throw closedTooSoon();
    }
    this.#warmingUp();
    this.#state.move("ready");
    this.#intake.open();
    this.#registration = registration;
    registration?.start();
    logger.info({ address: addressText(this.address.host, this.address.port) }, "service started");
    // Lanes may have been lost in this very turn.
    this.#judgeLanes();
  }

  #warmingUp(): void {
    if (this.state === "starting") this.#state.move("warming");
  }

  async #endUnstarted(port: Port): Promise<void> {
    this.#state.move("stopped");
    await port.close();
    this.#stopClocks();
  }

  async #bind(): Promise<Port> {
    const { port, routes } = await openHostPort({
      processor: this.#processor,
      options: this.#options,
      state: this.#state,
      view: this.#report,
      intake: this.#intake,
      clock: this.#clock,
      logger: this.#logger,
    });
    this.#port = port;
    this.#routes = routes;
    return port;
  }

  /** Resolves when enough lanes can take calls, which their processors' `isReady` may delay, or the host is closed. */
  #lanesSuffice(): Promise<void> {
    if (this.#enoughLanes || this.#closing !== undefined) return Promise.resolve();
    this.#logger.info({}, "waiting until isReady() says yes");
    return new Promise((resolve) => {
      this.#onEnoughLanes = resolve;
    });
  }

  get #enoughLanes(): boolean {
    return this.#pool.readyLanes >= this.#options.minReadyLanes;
  }

  /** The one place that decides between ready and unready. */
  #judgeLanes(): void {
    const enough = this.#enoughLanes;
    if (enough || this.#closing !== undefined) this.#onEnoughLanes();
    const next = enough ? "ready" : "unready";
    if (this.state === next || (this.state !== "ready" && this.state !== "unready")) return;
    this.#state.move(next);
    const { readyLanes } = this.#pool;
    const { lanes, minReadyLanes } = this.#options;
    this.#logger[enough ? "info" : "warn"]({ readyLanes, minReadyLanes, lanes }, `host ${next}`);
  }

  // The outbound half of the engine is loaded only where there is a directory to talk to.
  async #prepareRegistration(port: Port): Promise<Registration | undefined> {
    const { service, advertised, directories, directoryToken, directoryTls, leaseTtlMs, app } =
      this.#options;
    if (advertised === undefined) return undefined;
    const { createRegistration } = await import("./registration.js");
    return createRegistration({
      directories,
      token: directoryToken,
      tls: directoryTls,
      service,
      instance: instanceOf({
        name: this.instance,
        host: advertised.ip,
        port: advertised.port ?? port.address.port,
        weight: this.#options.weight,
        app,
      }),
      leaseTtlMs,
      clock: this.#clock,
      random: Math.random,
      logger: this.#logger,
    });
  }

  /** Begins a stop; answers with the grace period in force. */
  stop(graceMs: number | undefined): number {
    this.close({ gracePeriodMs: graceMs }).catch((err: unknown) =>
      this.#logger.error({ err }, "stop failed"),
    );
    return this.#graceMs;
  }

  close(options: { readonly gracePeriodMs?: number | undefined } = {}): Promise<void> {
    if (this.#closing === undefined) {
      const { gracePeriodMs = this.#options.terminationGracePeriodMs } = options;
      const { terminationGracePeriodMs: range } = hostNumberRanges;
      this.#graceMs = checkNumber(gracePeriodMs, "gracePeriodMs", { ...range, integer: false });
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
    this.#state.move("draining");
    this.#initialising.abort(hostStopping());
    this.#onEnoughLanes();
    await this.#registration?.stop();
    if (preStopDelayMs > 0) await this.#wait(preStopDelayMs);
    this.#intake.refuse();
    const endMs = this.#clock.now() + graceMs;
    const cancelAbort = this.#clock.after(graceMs, () => this.#abortRest());
    await this.#port?.drain(graceMs + FLUSH_MS);
    // A caller that left leaves its process() running: dispose() waits for that too.
    await Promise.race([this.#intake.admission.idle(), this.#wait(this.#leftMs(endMs))]);
    cancelAbort();
    await this.#pool.close(Math.max(DISPOSE_MS, this.#leftMs(endMs)));
    this.#state.move("stopped");
    this.#logger.info({}, "stopped");
    this.#stopClocks();
    this.#markClosed();
  }

  #leftMs(endMs: number): number {
    return Math.max(0, endMs - this.#clock.now());
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
    this.#intake.giveUpAll(endedByStop());
  }

  #stopClocks(): void {
    this.#report.close();
    this.#intake.close();
    this.#callLog.close();
  }
}
