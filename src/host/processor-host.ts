import type { HostState } from "../builtin/host-view.js";
import { BUILTIN_PREFIX, builtins } from "../builtin/registry.js";
import { addressText } from "../core/instance.js";
import { checkNumber } from "../core/options.js";
import { type Clock, type Logger, systemClock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";
import { endedByStop, hostStopping } from "../core/stop-errors.js";
import type { LanePool } from "../lane/lane-pool.js";
import { checkProcessor } from "../processor/check-processor.js";
import type { AnyProcessor } from "../processor/processor.js";
import { isLeveled } from "../server/logger.js";
import { openPort, type Port } from "../server/port.js";
import { createHostGuards, type HostGuards } from "./access.js";
import { CallIntake } from "./call-intake.js";
import { type CallLog, createCallLog } from "./call-log.js";
import { createCallMetrics } from "./call-metrics.js";
import { hostConfigView } from "./host-config-view.js";
import { createHostLanes } from "./host-lanes.js";
import type { ResolvedHostOptions } from "./host-options.js";
import { HostPlace } from "./host-place.js";
import { type HostPort, type OpenPort, openHostPort } from "./host-port.js";
import { createHostProperties, type HostProperties } from "./host-properties.js";
import { HostReport, type ReportedHost } from "./host-report.js";
import { createStateCell } from "./host-state.js";
import { createLiveSettings } from "./live-settings.js";
import { createRecentErrors } from "./recent-errors.js";
import type { Registration } from "./registration.js";
import { hostNumberRanges } from "./resolve-host-options.js";
import type { Secret, StartableHost } from "./startable-host.js";
import { KIT_VERSION } from "./version.js";

/** What a host stands on; tests bring their own. */
export interface HostGround {
  readonly clock: Clock;
  readonly openPort: OpenPort;
}

const machine: HostGround = { clock: systemClock, openPort };

/** How a host is started. */
export interface StartManner {
  /**
   * Whether it shares its port with another process that still answers: it listens only once it is ready then, so that no
   * caller comes too early. @defaultValue false
   */
  readonly takesOver?: boolean;
  /** @defaultValue the machine */
  readonly ground?: HostGround | undefined;
}

/** Makes a host with the engine in place; `start-host.ts` is the way in that loads it. */
export function createProcessorHost(
  processor: AnyProcessor,
  options: ResolvedHostOptions,
  logger: Logger,
  { takesOver = false, ground = machine }: StartManner = {},
): StartableHost {
  checkProcessor(processor);
  if (options.warmUp.length > 0 && processor.process === undefined) {
    throw servingError(
      "INVALID_OPTION",
      "options.warmUp replays payloads to process(), which a typed service does not have: warm it up in initialize()",
    );
  }
  return new RunningHost(processor, options, { ...ground, logger, takesOver });
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
  readonly #guards: HostGuards;
  readonly #takesOver: boolean;
  readonly #place: HostPlace;
  readonly #properties: HostProperties;
  readonly #report: HostReport;
  readonly #initialising = new AbortController();
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
    ports: HostGround & { readonly logger: Logger; readonly takesOver: boolean },
  ) {
    const { clock, logger } = ports;
    this.#takesOver = ports.takesOver;
    this.#guards = createHostGuards(options);
    this.#processor = processor;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#place = new HostPlace({
      options,
      clock,
      logger,
      bind: () => this.#bind(ports.openPort),
      refuseClosed: () => this.#refuseClosed(),
    });
    this.#properties = createHostProperties({
      live: createLiveSettings(options, {
        setLimits: (limits) => this.#intake.admission.setLimits(limits),
        setCallsPerLane: (calls) => this.#pool.setCallsPerLane(calls),
        setWeight: (weight) => this.#place.setWeight(weight),
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
    return this.#place.address;
  }

  get boundPort(): Port | undefined {
    return this.#place.port;
  }

  get routes(): readonly string[] {
    return this.#place.routes;
  }

  get instance(): string {
    return this.#place.instance;
  }

  async start(): Promise<void> {
    const logger = this.#logger;
    const { service, notices, lane, lanes, callsPerLane } = this.#options;
    logger.info({ service: service || "(unnamed)", version: KIT_VERSION }, "service created");
    for (const notice of notices) logger.info({}, notice);
    if (!this.#takesOver) await this.#place.bind();
    const paths = builtins.map(({ name }) => BUILTIN_PREFIX + name);
    logger.info({ paths }, "builtins installed");
    this.#report.open();
    try {
      await this.#pool.start();
    } catch (thrown) {
      // A stop that came first has ended everything itself.
      if (this.#closing !== undefined) await this.#closing;
      else await this.#endUnstarted();
      throw thrown;
    }
    if (this.#closing === undefined)
      logger.info({ kind: lane, lanes, callsPerLane }, "lanes ready");
    // Loaded before the host is ready where it can be: it is registered in the turn in which it becomes so.
    const early = this.#takesOver ? undefined : await this.#place.prepareRegistration();
    await this.#lanesSuffice();
    await this.#refuseClosed();
    this.#warmingUp();
    this.#state.move("ready");
    this.#intake.open();
    this.#place.register(this.#takesOver ? await this.#takeOver() : early);
    logger.info({ address: addressText(this.address.host, this.address.port) }, "service started");
    // Lanes may have been lost in this very turn.
    this.#judgeLanes();
  }

  #warmingUp(): void {
    if (this.state === "starting") this.#state.move("warming");
  }

  /** Throws when the host was closed meanwhile, once that is over. */
  async #refuseClosed(): Promise<void> {
    if (this.#closing === undefined) return;
    await this.#closing;
    await this.#place.port?.close();
    throw closedTooSoon();
  }

  /** All that comes can be answered by now. */
  async #takeOver(): Promise<Registration | undefined> {
    try {
      return await this.#place.takeOver();
    } catch (thrown) {
      await this.close({ gracePeriodMs: 0 });
      throw thrown;
    }
  }

  async #endUnstarted(): Promise<void> {
    this.#state.move("stopped");
    await this.#place.port?.close();
    this.#stopClocks();
  }

  #bind(open: OpenPort): Promise<HostPort> {
    return openHostPort({
      processor: this.#processor,
      options: this.#options,
      guards: this.#guards,
      state: this.#state,
      view: this.#report,
      intake: this.#intake,
      clock: this.#clock,
      logger: this.#logger,
      openPort: open,
    });
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

  async handOver({ listed }: { readonly listed: boolean }): Promise<void> {
    if (this.#closing === undefined) {
      this.#logger.info({ calls: this.#intake.accepted }, "handing over");
      await this.#place.handOver(listed, this.closed);
    }
    return this.close();
  }

  setSecret(secret: Secret, tokens: readonly string[]): void {
    if (secret !== "directoryToken") this.#guards[secret].replace(tokens);
    else if (tokens[0] !== undefined) this.#place.setDirectoryToken(tokens[0]);
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
    await this.#place.deregister();
    if (preStopDelayMs > 0) await this.#wait(preStopDelayMs);
    this.#intake.refuse();
    const endMs = this.#clock.now() + graceMs;
    const cancelAbort = this.#clock.after(graceMs, () => this.#abortRest());
    await this.#place.port?.drain(graceMs + FLUSH_MS);
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
