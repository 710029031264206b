import { isAlive } from "../../src/cli/chaos/processes.js";
import { pace } from "../support/pace.js";
import type { FaultLoad } from "./fault-load.js";
import type { ToyHost } from "./toy-host.js";
import type { WireEnd } from "./wire-client.js";

/** The death of a lane's process, as the kernel shows it. */
export interface LaneDeath {
  readonly pid: number;
  /** The last look that found it alive: it died between this and the next look, a few milliseconds later. */
  readonly lastAliveMs: number;
  /** How long after `lastAliveMs` the calls ended that were in it then; grows until the last of them has. */
  readonly callsEndedMs: number[];
}

const LOOK_EVERY_MS = 2;

/** Looks at a host's lanes every few milliseconds: who lives, and which calls were in those that died. */
export class LaneWatch {
  readonly deaths: LaneDeath[] = [];
  /** Every lane that was ever seen. */
  readonly seen: Set<number> = new Set();
  readonly #host: ToyHost;
  readonly #alive = new Map<number, number>();
  /** Lane of each order that has begun. */
  readonly #laneOf = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;
  #sinceMs = 0;

  constructor(host: ToyHost, load: FaultLoad) {
    this.#host = host;
    this.lookForLanes();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    load.onEnd((end) => this.#ended(end));
  }

  /** Takes lanes in that were started since the last time; tells all that run. */
  lookForLanes(): readonly number[] {
    const pids = this.#host.lanePids();
    for (const pid of pids) {
      this.seen.add(pid);
      if (!this.#alive.has(pid)) this.#alive.set(pid, pace.now());
    }
    return pids;
  }

  /** A fault begins: what dies from now on dies of it. */
  begin(): void {
    this.#sinceMs = pace.now();
  }

  /** The lane in which an order has begun. */
  laneOf(id: number): number | undefined {
    return this.#laneOf.get(id);
  }

  deathOf(pid: number): LaneDeath | undefined {
    return this.deaths.find((death) => death.pid === pid);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = pace.now();
    const dead: LaneDeath[] = [];
    for (const [pid, lastAliveMs] of this.#alive) {
      if (isAlive(pid)) this.#alive.set(pid, nowMs);
      else dead.push({ pid, lastAliveMs, callsEndedMs: [] });
    }
    // After the look: what a lane has begun is written before it can die of it.
    for (const { id, pid } of this.#host.starts()) this.#laneOf.set(id, pid);
    for (const death of dead) {
      this.#alive.delete(death.pid);
      this.deaths.push(death);
    }
  }

  #ended({ order, outcome, endedMs }: WireEnd): void {
    if (outcome === "LANE_DIED") this.#look();
    const pid = this.#laneOf.get(order.id);
    const latest = this.deaths.at(-1);
    // A call may die with a lane that had not begun it yet; a host that kills a lane tells its calls before.
    const fresh = latest !== undefined && latest.lastAliveMs > this.#sinceMs ? latest : undefined;
    const death = pid === undefined ? fresh : this.deathOf(pid);
    const counts = pid === undefined ? outcome === "LANE_DIED" : true;
    if (counts) death?.callsEndedMs.push(endedMs - death.lastAliveMs);
  }
}
