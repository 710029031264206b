import type { CancelTimer, Clock } from "../../core/ports.js";

/** What an instance begins with. */
const FIRST = 0.1;

/** From there to the whole, in steps of 5 %. */
const STEPS = 18;

/** So many steps make the whole share. */
const WHOLE = 20;

/** Faster than this nobody can tell steps apart. */
const SHORTEST_STEP_MS = 10;

interface Growing {
  readonly sinceMs: number;
  factor: number;
}

/** Lets the share of an instance that comes into rotation grow, from a tenth to the whole, in a straight line. */
export class SlowStart {
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #onFactor: (key: string) => void;
  readonly #growing = new Map<string, Growing>();
  #stopTimer: CancelTimer | undefined;

  /** @param durationMs - until the whole; 0 = at once */
  constructor(clock: Clock, durationMs: number, onFactor: (key: string) => void) {
    this.#clock = clock;
    this.#durationMs = durationMs;
    this.#onFactor = onFactor;
  }

  factorOf(key: string): number {
    return this.#growing.get(key)?.factor ?? 1;
  }

  entered(key: string): void {
    if (this.#durationMs === 0) return;
    this.#growing.set(key, { sinceMs: this.#clock.now(), factor: FIRST });
    if (this.#stopTimer === undefined) this.#tickLater();
  }

  forget(key: string): void {
    this.#growing.delete(key);
    if (this.#growing.size === 0) this.#stop();
  }

  close(): void {
    this.#growing.clear();
    this.#stop();
  }

  #tickLater(): void {
    const stepMs = Math.max(SHORTEST_STEP_MS, this.#durationMs / STEPS);
    this.#stopTimer = this.#clock.after(stepMs, () => this.#tick(), { background: true });
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#stopTimer = undefined;
    for (const [key, growing] of this.#growing) {
      const steps = Math.floor(((now - growing.sinceMs) / this.#durationMs) * STEPS);
      const factor = (WHOLE - STEPS + steps) / WHOLE;
      if (factor === growing.factor) continue;
      growing.factor = factor;
      if (steps >= STEPS) this.#growing.delete(key);
      this.#onFactor(key);
    }
    if (this.#growing.size > 0) this.#tickLater();
  }

  #stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}
