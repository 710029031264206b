import { ServingError } from "../../core/serving-error.js";
import { HostProcess, type HostProcessOptions } from "./host-process.js";
import { LaneCensus } from "./lane-census.js";
import type { ChaosLoad } from "./load.js";
import type { Pace } from "./pace.js";
import { signalTo } from "./processes.js";
import { ReadyWatch } from "./ready-watch.js";

/** What a run goes by. */
export interface ChaosLimits {
  readonly lanes: number;
  readonly maxMessageBytes: number;
  /** What a call usually takes, in milliseconds. */
  readonly usualMs: number;
  /** Calls of an overload. */
  readonly overload: number;
  /** Time in which the host has to notice a lane that was hurt, in milliseconds. */
  readonly goneMs: number;
  /** Time in which a host or lane has to be there again. */
  readonly backMs: number;
}

/** What is seen of a host that is hurt, beside its calls. */
export interface HostFigures {
  /** From the end of a lane until the host said that one is missing, in milliseconds. */
  readonly toldMs: readonly number[];
  /** From the end of a lane until all were there and the host was ready. */
  readonly backMs: readonly number[];
  /** Lanes that ended without anything being done to them. */
  readonly lanesLost: number;
  /** Lanes that were hurt and left as they were. */
  readonly notReplaced: number;
  /** Times that the host did not recover; what it said the last time, when it said something. */
  readonly notBack: number;
  readonly notBackText: string;
  /** Times that the host said it was not ready while nothing was done to it. */
  readonly falseAlarms: number;
  /** Broken requests that were answered. */
  readonly taken: number;
  /** Stops, and what they left: exit codes other than 0, processes. */
  readonly stops: number;
  readonly badExits: number;
  readonly leftBehind: number;
}

/** What a run is made of. */
export interface ChaosRunParts {
  readonly host: HostProcess;
  readonly load: ChaosLoad;
  readonly random: () => number;
  readonly limits: ChaosLimits;
  /** How to start the host once more. */
  readonly again: HostProcessOptions;
  readonly pace: Pace;
}

/** Time in which the processes of a host that has stopped have to be gone. */
const GONE_MS = 2_000;
/** Between two looks at the lanes. */
export const LOOK_EVERY_MS = 10;
const CALM_CALLS = 5;

/** A host under load, and what was seen of it. */
export class ChaosRun implements HostFigures {
  readonly load: ChaosLoad;
  readonly random: () => number;
  readonly limits: ChaosLimits;
  readonly pace: Pace;
  readonly census: LaneCensus;
  host: HostProcess;
  ready: ReadyWatch;
  readonly toldMs: number[] = [];
  readonly backMs: number[] = [];
  notReplaced: number = 0;
  notBack: number = 0;
  notBackText: string = "";
  falseAlarms: number = 0;
  taken: number = 0;
  stops: number = 0;
  badExits: number = 0;
  leftBehind: number = 0;
  readonly #again: HostProcessOptions;
  #down = false;

  constructor({ host, load, random, limits, again, pace }: ChaosRunParts) {
    this.host = host;
    this.load = load;
    this.random = random;
    this.limits = limits;
    this.pace = pace;
    this.census = new LaneCensus(host);
    this.ready = new ReadyWatch(host.port, pace.clock);
    this.#again = again;
  }

  /** Whether the host cannot be used any more. */
  get lost(): boolean {
    return this.notBack > 0;
  }

  get lanesLost(): number {
    return this.census.lost;
  }

  /** Does something until its time is over, at least once, and waits until all is well again. */
  async hurt(fault: (run: ChaosRun) => Promise<void>, durationMs: number): Promise<void> {
    const endMs = this.pace.now() + durationMs;
    this.load.calm = false;
    do {
      await fault(this);
    } while (this.pace.now() < endMs && !this.lost);
    if (!this.lost) await this.healthy();
    this.load.calm = true;
    await this.#calmCalls();
  }

  /** Waits until all lanes are there and the host says that it is ready; tells whether that came to be. */
  async healthy(): Promise<boolean> {
    const { lanes, backMs } = this.limits;
    const all = (): boolean => this.census.look().length === lanes && this.ready.ready;
    if (await this.pace.until(all, backMs, LOOK_EVERY_MS)) return true;
    this.notBack++;
    return false;
  }

  /** Stops the host under load and starts it again. */
  async restart(): Promise<void> {
    this.load.goneAway();
    await this.stop();
    try {
      this.host = await HostProcess.start(this.#again);
    } catch (thrown) {
      this.pace.check();
      this.#down = true;
      this.notBack++;
      this.notBackText = ServingError.from(thrown).message;
      return;
    }
    this.load.backOn(this.host.port);
    this.census.moveTo(this.host);
    this.ready = new ReadyWatch(this.host.port, this.pace.clock);
  }

  /** Stops the host, unless it is down already, and looks at what is left of it. */
  async stop(): Promise<void> {
    if (this.#down) return;
    this.census.look();
    this.ready.stop();
    const exitCode = await this.host.stop();
    this.pace.check();
    this.stops++;
    if (exitCode !== 0) this.badExits++;
    await this.pace.until(() => this.census.left().length === 0, GONE_MS, LOOK_EVERY_MS);
    for (const pid of this.census.left()) {
      this.leftBehind++;
      signalTo(pid, "SIGKILL");
    }
  }

  /** Ends everything at once. */
  end(): void {
    this.ready.stop();
    this.host.kill();
    for (const pid of this.census.left()) signalTo(pid, "SIGKILL");
  }

  async #calmCalls(): Promise<void> {
    const sinceMs = this.pace.now();
    for (let n = 0; n < CALM_CALLS && !this.lost; n++) await this.load.call();
    this.falseAlarms += this.ready.flips.filter((f) => !f.ready && f.atMs > sinceMs).length;
  }
}
