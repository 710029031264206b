import type { LoadReport } from "../../core/load-report.js";
import type { CancelTimer, Clock } from "../../core/ports.js";

/** How long it takes until a change of what is reported counts for two thirds. */
const SMOOTHING_MS = 5_000;

/** More often a report tells nothing new: hosts measure over a second or so themselves. */
const LEAST_APART_MS = 100;

/** An instance at rest says nothing of what it could do: below this, utilization counts as this. */
const LEAST_UTILIZATION = 0.01;

/** No share grows to more than so many times its weight, or shrinks to less than that part of it, whatever is reported. */
const MOST = 10;
const MOST_LOG: number = Math.log(MOST);

/** Smaller changes are not worth the reweighing. */
const TOLD_CHANGE = 0.05;
const TOLD_APART_MS = 1_000;

/** What was reported longer ago says nothing of now. */
const LAPSE_MS = 60_000;
const SWEEP_MS = 10_000;

/** What is known of one instance. */
interface Load {
  /** Logarithm of the calls per second that it could answer, per weight; smoothed. */
  log: number;
  reportedMs: number;
  toldMs: number;
  told: number;
}

/**
 * Shifts shares by what instances say of their load: one that could do more calls a second per weight than the others gets as
 * much more of them.
 *
 * What an instance could do is estimated as calls per second by utilization (gRFC A58), which does not depend on how many calls
 * it gets: so a share that has been shifted does not shift it back. Failures count as utilization. Estimates are smoothed as
 * logarithms and begin at what the others have, so that the first report of a newcomer, still cold, does not throw it out. They
 * are compared with their geometric mean, which one instance that reports absurd figures moves little. Who has not reported has
 * the factor 1, and gets the share that its weight says.
 *
 * Source: https://github.com/grpc/proposal/blob/master/A58-client-side-weighted-round-robin-lb-policy.md
 */
export class LoadFactors {
  readonly #clock: Clock;
  readonly #onFactor: (key: string) => void;
  readonly #loads = new Map<string, Load>();
  /** Sum of the logarithms of all who report. */
  #logs = 0;
  #stopTimer: CancelTimer | undefined;

  constructor(clock: Clock, onFactor: (key: string) => void) {
    this.#clock = clock;
    this.#onFactor = onFactor;
  }

  factorOf(key: string): number {
    return this.#loads.get(key)?.told ?? 1;
  }

  reported(key: string, weight: number, report: LoadReport): void {
    const seen = Math.log(capacityOf(report) / weight);
    if (!Number.isFinite(seen)) return;
    const now = this.#clock.now();
    const known = this.#loads.get(key);
    if (known !== undefined && now - known.reportedMs < LEAST_APART_MS) return;
    const load = known ?? this.#meet(key, seen, now);
    const mean = this.#meanLog();
    const log = Math.min(mean + MOST_LOG, Math.max(mean - MOST_LOG, seen));
    const change = (log - load.log) * (1 - Math.exp((load.reportedMs - now) / SMOOTHING_MS));
    load.log += change;
    load.reportedMs = now;
    this.#logs += change;
    this.#tell(key, load, now);
  }

  forget(key: string): void {
    const load = this.#loads.get(key);
    if (load === undefined) return;
    this.#logs -= load.log;
    this.#loads.delete(key);
    if (this.#loads.size === 0) this.#stop();
  }

  close(): void {
    this.#loads.clear();
    this.#logs = 0;
    this.#stop();
  }

  #meet(key: string, seen: number, now: number): Load {
    const log = this.#loads.size === 0 ? seen : this.#meanLog();
    const load: Load = { log, reportedMs: now, toldMs: now - TOLD_APART_MS, told: 1 };
    this.#loads.set(key, load);
    this.#logs += log;
    this.#stopTimer ??= this.#sweepLater();
    return load;
  }

  #meanLog(): number {
    return this.#logs / this.#loads.size;
  }

  #tell(key: string, load: Load, now: number): void {
    if (now - load.toldMs < TOLD_APART_MS) return;
    const factor = Math.min(MOST, Math.max(1 / MOST, Math.exp(load.log - this.#meanLog())));
    if (Math.abs(factor - load.told) <= TOLD_CHANGE * load.told) return;
    load.told = factor;
    load.toldMs = now;
    this.#onFactor(key);
  }

  #sweepLater(): CancelTimer {
    return this.#clock.after(SWEEP_MS, () => this.#sweep(), { background: true });
  }

  #sweep(): void {
    const now = this.#clock.now();
    this.#stopTimer = undefined;
    const lapsed: string[] = [];
    for (const [key, { reportedMs }] of this.#loads) {
      if (now - reportedMs > LAPSE_MS) lapsed.push(key);
    }
    for (const key of lapsed) this.#loads.delete(key);
    // Anew, so that what rounding leaves behind does not add up.
    this.#logs = 0;
    for (const { log } of this.#loads.values()) this.#logs += log;
    if (this.#loads.size > 0) this.#stopTimer = this.#sweepLater();
    for (const key of lapsed) this.#onFactor(key);
  }

  #stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}

/** Calls per second that an instance could answer; NaN or 0 where it does not say enough. */
function capacityOf({ utilization, callsPerSecond, failuresPerSecond }: LoadReport): number {
  const failing = failuresPerSecond / callsPerSecond;
  return callsPerSecond / Math.max(utilization + failing, LEAST_UTILIZATION);
}
