import { type Backoff, createBackoff } from "../core/backoff.js";
import type { Invocation } from "../core/invocation.js";
import type { CancelTimer, Clock, Logger, Random } from "../core/ports.js";
import { ServingError, servingError } from "../core/serving-error.js";
import type { LaneKind } from "../processor/processor.js";
import type { Lane, LaneFactory } from "./lane.js";
import type { LaneLoad, LaneState } from "./lane-pool.js";

/** What the positions of a pool have in common. */
export interface PositionOptions {
  /** Of the lanes that `lanes` makes. */
  readonly kind: LaneKind;
  readonly lanes: LaneFactory;
  /** What is done with a lane that has initialised before it takes calls, such as warming it up. */
  readonly prepare?: ((lane: Lane) => Promise<void>) | undefined;
  /** An idle lane that is silent for so long does not count as ready, in ms. */
  readonly heartbeatTimeoutMs: number;
  /**
   * A lane that is silent for so long is ended and replaced, in ms; Infinity for never. So is one in which every place is
   * taken by a call that was given up so long ago.
   */
  readonly hangTimeoutMs: number;
  /** Limit of the processor's `isReady`, in ms. */
  readonly readyCheckTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What a position needs of its pool. */
export interface PositionPorts extends PositionOptions {
  /** The properties that were set last; undefined while none were. */
  properties(): ReadonlyMap<string, string> | undefined;
  /** Whether the lane can take calls may have changed. */
  changed(): void;
}

/** A mute lane that has been silent for so many `heartbeatTimeoutMs` is one that calls do not wait for. */
const HOPEFUL_BEATS = 4;

/** A start may keep a lane silent for so many times the longest one that was seen at its position. */
const START_FACTOR = 3;

/** A lane that has been ready for so long is replaced at once when it dies; one that dies sooner is backed off from. */
const PROVEN_MS = 2_000;

/**
 * One position of a pool: a lane and, when it dies, the next one.
 *
 * ```
 * starting --> up --> stuck --> dead --> starting ...      up: ready, busy, mute or unready
 *     \________________________/
 * ```
 */
export class LanePosition {
  readonly index: number;
  readonly #ports: PositionPorts;
  readonly #backoff: Backoff;
  #lane: Lane | undefined;
  #phase: "starting" | "up" | "stuck" | "dead" = "starting";
  #mute = false;
  /** It has been mute for so long that no call waits for it. */
  #hopeless = false;
  /** 0 until the first lane has started. */
  #longestStartMs = 0;
  #asking = false;
  #unready = false;
  #upSinceMs = 0;
  #deaths = 0;
  #restarts = 0;
  #calls = 0;
  #closed = false;
  #cancelReplacement: CancelTimer = () => {};
  /** The calls that run, and when each was seen to have been given up: Infinity while it is wanted. */
  readonly #calling = new Map<Invocation, number>();
  #warnedOfTaken = false;
  /** Calls in progress. */
  inFlight = 0;

  constructor(index: number, ports: PositionPorts) {
    this.index = index;
    this.#ports = ports;
    this.#backoff = createBackoff({ initialMs: 100, maxMs: 10_000 }, ports.random);
  }

  /** The lane itself while it takes calls, now or when those in progress have ended. */
  get ready(): Lane | undefined {
    if (this.#phase !== "up" || this.#unready) return undefined;
    return this.#mute && this.inFlight === 0 ? undefined : this.#lane;
  }

  /**
   * Whether the lane takes calls soon: it is ready, mute only since lately, or being started, or is as soon as a stuck one
   * is gone.
   */
  get hopeful(): boolean {
    if (this.#phase === "up" && this.#hopeless) return false;
    return this.#phase !== "dead" && !this.#unready && !this.#closed;
  }

  get load(): LaneLoad {
    const { index, inFlight } = this;
    return {
      kind: this.#ports.kind,
      index,
      state: this.#state,
      inFlight,
      calls: this.#calls,
      restarts: this.#restarts,
    };
  }

  get #state(): LaneState {
    if (this.#phase !== "up") return this.#phase;
    if (this.#unready) return "unready";
    if (this.inFlight > 0) return "busy";
    return this.#mute ? "mute" : "ready";
  }

  /** A call begins. */
  enter(): void {
    this.inFlight++;
    this.#calls++;
  }

  /** The call that has entered is run now. */
  runs(invocation: Invocation): void {
    this.#calling.set(invocation, Number.POSITIVE_INFINITY);
  }

  /** A call that has entered is over. */
  leave(invocation: Invocation | undefined): void {
    this.inFlight--;
    if (invocation !== undefined) this.#calling.delete(invocation);
  }

  /** Starts the first lane. @throws what {@link Lane.start} throws. */
  async start(): Promise<void> {
    await this.#begin();
    if (this.#closed) return;
    this.#ports.logger.info(this.#fields(), "lane ready");
    this.#ports.changed();
  }

  /** Judges the lane by its silence, and asks whether it lives. */
  judge(): void {
    const lane = this.#lane;
    const { heartbeatTimeoutMs, logger } = this.#ports;
    const limitMs = this.#silenceLimitMs;
    if (limitMs === undefined || lane === undefined) return;
    const { silentMs } = lane;
    if (silentMs >= limitMs) {
      const ms = Math.round(silentMs);
      const fields = { silentMs: ms, calls: this.inFlight };
      this.#end(lane, fields, `the lane said nothing for ${ms} ms and was ended`);
      return;
    }
    lane.ask();
    if (this.#phase !== "up") return;
    const mute = this.inFlight === 0 && silentMs >= heartbeatTimeoutMs;
    const hopeless = mute && silentMs >= HOPEFUL_BEATS * heartbeatTimeoutMs;
    const changed = mute !== this.#mute || hopeless !== this.#hopeless;
    this.#hopeless = hopeless;
    if (mute !== this.#mute) {
      this.#mute = mute;
      if (mute)
        logger.warn(
          { ...this.#fields(), silentMs: Math.round(silentMs) },
          "lane mute: it takes no calls",
        );
      else logger.info(this.#fields(), "lane no longer mute");
    }
    if (changed) this.#ports.changed();
  }

  /** How long the lane may be silent; undefined for one that is not judged, such as the first one while it starts. */
  get #silenceLimitMs(): number | undefined {
    const { hangTimeoutMs } = this.#ports;
    if (this.#phase === "up") return hangTimeoutMs;
    if (this.#phase !== "starting" || this.#longestStartMs === 0) return undefined;
    return Math.max(hangTimeoutMs, START_FACTOR * this.#longestStartMs);
  }

  /** Ends a lane in which as many calls as it takes were given up long ago and do not end; inline that is only told. */
  judgeCalls(callsPerLane: number): void {
    const lane = this.#lane;
    if (this.#phase !== "up" || lane === undefined) return;
    const { clock, hangTimeoutMs, logger } = this.#ports;
    const nowMs = clock.now();
    let useless = 0;
    for (const [invocation, sinceMs] of this.#calling) {
      if (invocation.abort.reason === undefined) continue;
      if (sinceMs > nowMs) this.#calling.set(invocation, nowMs);
      else if (nowMs - sinceMs >= hangTimeoutMs) useless++;
    }
    if (useless < callsPerLane || useless < this.inFlight) return;
    if (lane.kind !== "inline") {
      const text = `every call in the lane was given up ${hangTimeoutMs} ms ago or longer, and none has ended`;
      this.#end(lane, { calls: useless }, text);
      return;
    }
    if (this.#warnedOfTaken) return;
    this.#warnedOfTaken = true;
    logger.warn(
      { ...this.#fields(), calls: useless },
      "every place is taken by a call that was given up and does not end: the processor should mind its signal",
    );
  }

  /** Asks the processor whether it is ready, if it has an answer of its own. Never rejects. */
  async checkReady(): Promise<void> {
    const lane = this.#lane;
    if (this.#phase !== "up" || lane === undefined || !lane.checksReady || this.#asking) return;
    this.#asking = true;
    const ready = await this.#readyInTime(lane);
    this.#asking = false;
    if (lane !== this.#lane || ready === !this.#unready) return;
    this.#unready = !ready;
    this.#ports.changed();
  }

  /** Hands a message to the lane; tells whether there is one. */
  tell(message: Uint8Array): boolean {
    if (this.#phase !== "up") return false;
    this.#lane?.tell(message);
    return true;
  }

  setProperties(values: ReadonlyMap<string, string>): void {
    this.#lane?.setProperties(values);
  }

  /** Ends the lane in order; none replaces it. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    this.#cancelReplacement();
    const lane = this.#lane;
    try {
      await lane?.close(graceMs);
    } catch (err) {
      this.#ports.logger.error({ err }, "dispose() threw");
    }
    this.#phase = "dead";
    this.#ports.changed();
  }

  async #begin(): Promise<void> {
    const { lanes, clock, prepare, properties } = this.#ports;
    this.#phase = "starting";
    this.#unready = false;
    const beganMs = clock.now();
    const lane = lanes(this.index);
    this.#lane = lane;
    const values = properties();
    if (values !== undefined) lane.setProperties(values);
    await lane.start();
    if (!this.#closed) await prepare?.(lane);
    if (this.#closed) {
      // A host's own initialize() cannot be broken off: what it has taken is given back now.
      await lane.close(0);
      return;
    }
    this.#unready = lane.checksReady && !(await this.#readyInTime(lane));
    if (this.#closed) return;
    this.#phase = "up";
    this.#mute = false;
    this.#hopeless = false;
    this.#upSinceMs = clock.now();
    // At least 1: that a lane has started is told by it too.
    this.#longestStartMs = Math.max(this.#longestStartMs, this.#upSinceMs - beganMs, 1);
    void lane.died.then((reason) => this.#died(lane, reason));
  }

  #died(lane: Lane, reason: ServingError): void {
    if (this.#closed || lane !== this.#lane) return;
    const { clock, logger, changed } = this.#ports;
    const { cause, details } = reason;
    const err = cause === undefined ? {} : { err: cause };
    // The end of one that was stuck has been told already.
    if (this.#phase === "up") {
      logger.error({ ...this.#fields(), ...details, ...err }, `lane died: ${reason.message}`);
    }
    this.#phase = "dead";
    this.#deaths++;
    changed();
    const proven = clock.now() - this.#upSinceMs >= PROVEN_MS;
    if (proven) this.#backoff.reset();
    if (proven || this.#deaths === 1) void this.#replace();
    else this.#replaceLater();
  }

  #replaceLater(): void {
    const waitMs = this.#backoff.next();
    this.#cancelReplacement = this.#ports.clock.after(waitMs, () => void this.#replace(), {
      background: true,
    });
  }

  /** Never rejects. */
  async #replace(): Promise<void> {
    const { logger, clock } = this.#ports;
    const beganMs = clock.now();
    try {
      await this.#begin();
      if (this.#closed) return;
      this.#restarts++;
      const tookMs = Math.round(clock.now() - beganMs);
      logger.info({ ...this.#fields(), tookMs }, "lane replaced");
      this.#ports.changed();
    } catch (thrown) {
      const failed = this.#lane;
      if (this.#closed) return;
      this.#phase = "dead";
      const error = ServingError.from(thrown);
      logger.error(
        { ...this.#fields(), err: error.cause ?? error },
        `lane not replaced: ${error.message}`,
      );
      failed?.kill(error);
      this.#ports.changed();
      this.#replaceLater();
    }
  }

  /** Kills a lane that is of no more use; its death has it replaced. */
  #end(lane: Lane, fields: object, text: string): void {
    this.#phase = "stuck";
    this.#ports.logger.error({ ...this.#fields(), ...fields }, "lane stuck: it is ended");
    this.#ports.changed();
    lane.kill(servingError("LANE_DIED", text));
  }

  async #readyInTime(lane: Lane): Promise<boolean> {
    const { clock, readyCheckTimeoutMs } = this.#ports;
    const controller = new AbortController();
    let cancelTimer: CancelTimer = () => {};
    const late = new Promise<"late">((resolve) => {
      cancelTimer = clock.after(readyCheckTimeoutMs, () => resolve("late"), { background: true });
    });
    const answer = await Promise.race([lane.isReady(controller.signal), late]);
    cancelTimer();
    if (answer !== "late") return answer;
    controller.abort();
    // A lane that computes answers nothing at all: that says nothing of its processor.
    return this.inFlight > 0 && lane.silentMs > 0 ? !this.#unready : false;
  }

  #fields(): { readonly lane: number; readonly kind: LaneKind; readonly lanePid?: number } {
    const lanePid = this.#lane?.pid;
    const { kind } = this.#ports;
    return { lane: this.index, kind, ...(lanePid === undefined ? {} : { lanePid }) };
  }
}
