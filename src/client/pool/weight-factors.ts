import type { LoadReport } from "../../core/load-report.js";
import type { Clock } from "../../core/ports.js";
import { LoadFactors } from "./load-factors.js";
import { SlowStart } from "./slow-start.js";

/** What {@link WeightFactors} need from outside. */
export interface WeightFactorPorts {
  readonly clock: Clock;
  readonly slowStartMs: number;
  /** The factor of this instance has changed enough to matter. */
  readonly onFactor: (key: string) => void;
}

/**
 * By how much the weights of instances are multiplied: less while they start slowly, more or less by the load they report;
 * 0.01 to 10.
 */
export class WeightFactors {
  readonly #slowStart: SlowStart;
  readonly #loads: LoadFactors;

  constructor({ clock, slowStartMs, onFactor }: WeightFactorPorts) {
    this.#slowStart = new SlowStart(clock, slowStartMs, onFactor);
    this.#loads = new LoadFactors(clock, onFactor);
  }

  /** 1 unless there is a reason. */
  factorOf(key: string): number {
    return this.#slowStart.factorOf(key) * this.#loads.factorOf(key);
  }

  /** The instance comes (back) into rotation; what its factor is from now on is for the caller to ask. */
  entered(key: string): void {
    this.#slowStart.entered(key);
  }

  /** It has told its load; `weight` is what its list says. */
  reported(key: string, weight: number, load: LoadReport): void {
    this.#loads.reported(key, weight, load);
  }

  /** It has left for good. */
  forget(key: string): void {
    this.#slowStart.forget(key);
    this.#loads.forget(key);
  }

  /** Stops all timers. */
  close(): void {
    this.#slowStart.close();
    this.#loads.close();
  }
}
