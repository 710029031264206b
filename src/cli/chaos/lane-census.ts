import type { HostProcess } from "./host-process.js";
import { isAlive } from "./processes.js";

/** Keeps count of the lanes of a host: which are gone, and which of these were taken. */
export class LaneCensus {
  /** Lanes that ended without anything being done to them. */
  lost: number = 0;
  readonly #known = new Set<number>();
  readonly #taken = new Set<number>();
  #host: HostProcess;

  constructor(host: HostProcess) {
    this.#host = host;
    this.look();
  }

  /** Lanes that run. */
  look(): readonly number[] {
    const pids = this.#host.lanePids();
    for (const pid of pids) this.#known.add(pid);
    for (const pid of this.#known) {
      if (isAlive(pid)) continue;
      this.#known.delete(pid);
      if (!this.#taken.delete(pid)) this.lost++;
    }
    return pids;
  }

  /** What becomes of a lane from now on is our doing. */
  take(pid: number): void {
    this.#taken.add(pid);
  }

  /** The host is being stopped, and its lanes with it; `next` has lanes of its own. */
  moveTo(next: HostProcess): void {
    this.#known.clear();
    this.#taken.clear();
    this.#host = next;
    this.look();
  }

  /** Those that still run of all that were seen of the present host. */
  left(): readonly number[] {
    return [...this.#known].filter(isAlive);
  }
}
