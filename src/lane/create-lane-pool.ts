import { type Invocation, isSequence, type Outcome, outcomeInPieces } from "../core/invocation.js";
import { wrapPieces } from "../core/pieces.js";
import type { CancelTimer } from "../core/ports.js";
import { isServingError, ServingError } from "../core/serving-error.js";
import type { Lane } from "./lane.js";
import type { LaneLoad, LanePool, Place } from "./lane-pool.js";
import { LanePosition, type PositionOptions } from "./lane-position.js";
import { createQuarantine, type Quarantine } from "./quarantine.js";

/** What a pool is made from. */
export interface LanePoolOptions extends PositionOptions {
  /** Lanes, from 1. */
  readonly count: number;
  /** Calls at a time in each lane, from 1. */
  readonly callsPerLane: number;
}

/** Lanes are asked whether they live this many times within `heartbeatTimeoutMs`. */
const BEATS = 2.5;

/** Lanes are asked whether their processor is ready, and their calls looked at, so often. */
const READY_CHECK_MS = 1_000;

/** Makes a pool; `start` starts its lanes. */
export function createLanePool(options: LanePoolOptions): LanePool {
  return new RunningPool(options);
}

class RunningPool implements LanePool {
  readonly #options: LanePoolOptions;
  readonly #positions: readonly LanePosition[];
  readonly #quarantine: Quarantine;
  #callsPerLane: number;
  #properties: ReadonlyMap<string, string> | undefined;
  /** Where the search for a place begins: lanes that are as busy as each other take turns. */
  #turn = 0;
  #running = 0;
  #readyLanes = 0;
  #freed: () => void = () => {};
  #readyChanged: () => void = () => {};
  #closing: Promise<void> | undefined;
  #cancelBeat: CancelTimer = () => {};
  #cancelCheck: CancelTimer = () => {};

  constructor(options: LanePoolOptions) {
    this.#options = options;
    this.#callsPerLane = options.callsPerLane;
    this.#quarantine = createQuarantine(options);
    const ports = {
      ...options,
      properties: () => this.#properties,
      changed: () => this.#count(),
    };
    this.#positions = Array.from(
      { length: options.count },
      (_, index) => new LanePosition(index, ports),
    );
  }

  get load(): readonly LaneLoad[] {
    return this.#positions.map(({ load }) => load);
  }

  get readyLanes(): number {
    return this.#readyLanes;
  }

  get running(): number {
    return this.#running;
  }

  get hopeful(): boolean {
    return this.#closing === undefined && this.#positions.some(({ hopeful }) => hopeful);
  }

  async start(): Promise<void> {
    try {
      await Promise.all(this.#positions.map((position) => position.start()));
    } catch (thrown) {
      await this.close(0);
      throw thrown;
    }
    if (this.#closing !== undefined) return;
    // The host's own thread cannot be asked whether it lives.
    if (this.#options.kind !== "inline") this.#beat();
    this.#checkLater();
  }

  take(): Place | undefined {
    const positions = this.#positions;
    const { length } = positions;
    let best: LanePosition | undefined;
    let lane: Lane | undefined;
    for (let step = 0; step < length; step++) {
      const position = positions[(this.#turn + step) % length];
      if (position === undefined || position.inFlight >= this.#callsPerLane) continue;
      if (best !== undefined && position.inFlight >= best.inFlight) continue;
      const { ready } = position;
      if (ready === undefined) continue;
      best = position;
      lane = ready;
      if (position.inFlight === 0) break;
    }
    if (best === undefined || lane === undefined) return undefined;
    this.#turn = (best.index + 1) % length;
    return this.#place(best, lane);
  }

  get free(): number {
    let free = 0;
    for (const { ready, inFlight } of this.#positions) {
      if (ready !== undefined) free += Math.max(0, this.#callsPerLane - inFlight);
    }
    return free;
  }

  refusal(invocation: Invocation): ServingError | undefined {
    return this.#quarantine.refusal(invocation);
  }

  onFree(listener: () => void): void {
    this.#freed = listener;
  }

  onReadyLanes(listener: () => void): void {
    this.#readyChanged = listener;
  }

  setCallsPerLane(calls: number): void {
    const more = calls > this.#callsPerLane;
    this.#callsPerLane = calls;
    if (more) this.#freed();
  }

  tell(message: Uint8Array): number {
    return this.#positions.filter((position) => position.tell(message)).length;
  }

  setProperties(values: ReadonlyMap<string, string>): void {
    this.#properties = new Map(values);
    for (const position of this.#positions) position.setProperties(values);
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    this.#cancelBeat();
    this.#cancelCheck();
    await Promise.all(this.#positions.map((position) => position.close(graceMs)));
  }

  #place(position: LanePosition, lane: Lane): Place {
    position.enter();
    this.#running++;
    let running: Invocation | undefined;
    return {
      run: (invocation) => {
        running = invocation;
        position.runs(invocation);
        return lane.kind === "inline" ? lane.run(invocation) : this.#run(lane, invocation);
      },
      release: () => {
        position.leave(running);
        this.#running--;
        this.#freed();
      },
    };
  }

  async #run(lane: Lane, invocation: Invocation): Promise<Outcome> {
    let outcome: Outcome;
    try {
      outcome = await lane.run(invocation);
    } catch (thrown) {
      this.#failed(invocation, thrown);
      throw thrown;
    }
    if (isSequence(outcome.payloads)) return this.#watched(invocation, outcome, outcome.payloads);
    this.#quarantine.succeeded(invocation);
    return outcome;
  }

  #watched(invocation: Invocation, outcome: Outcome, pieces: AsyncIterable<Uint8Array>): Outcome {
    const watched = wrapPieces(pieces, {
      completed: () => this.#quarantine.succeeded(invocation),
      failed: (thrown) => {
        this.#failed(invocation, thrown);
        return ServingError.from(thrown);
      },
    });
    return outcomeInPieces(watched, outcome.status, outcome);
  }

  #failed(invocation: Invocation, thrown: unknown): void {
    if (isServingError(thrown) && thrown.reason === "LANE_DIED") this.#quarantine.died(invocation);
  }

  #count(): void {
    let ready = 0;
    for (const position of this.#positions) if (position.ready !== undefined) ready++;
    if (ready === this.#readyLanes) {
      if (!this.hopeful) this.#freed();
      return;
    }
    const more = ready > this.#readyLanes;
    this.#readyLanes = ready;
    this.#readyChanged();
    if (more || !this.hopeful) this.#freed();
  }

  /**
   * Judges the lanes again and again. A stall of the host's own loop is no silence of a lane: what has arrived meanwhile
   * is read before anybody is judged, which takes the loop one turn.
   */
  #beat(): void {
    const { clock, heartbeatTimeoutMs } = this.#options;
    this.#cancelBeat = clock.after(
      heartbeatTimeoutMs / BEATS,
      () => {
        setImmediate(() => {
          if (this.#closing !== undefined) return;
          for (const position of this.#positions) position.judge();
          this.#beat();
        });
      },
      { background: true },
    );
  }

  #checkLater(): void {
    this.#cancelCheck = this.#options.clock.after(
      READY_CHECK_MS,
      () => {
        for (const position of this.#positions) {
          position.judgeCalls(this.#callsPerLane);
          void position.checkReady();
        }
        this.#checkLater();
      },
      { background: true },
    );
  }
}
